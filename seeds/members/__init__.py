"""Tables of members, one row each."""
