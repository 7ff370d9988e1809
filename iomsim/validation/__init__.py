"""Past contests: their records, forecasts of them judged, and what they teach about the dynamics."""
