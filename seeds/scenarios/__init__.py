"""Elections, ready to be forecast."""
