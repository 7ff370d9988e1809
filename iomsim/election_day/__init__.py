"""Election day: what was announced, what it means, and what may come."""
