"""Days on which votes were held, event by event as they became known: hindsight, never evidence for a forecast."""
