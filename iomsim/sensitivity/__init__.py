"""What if? Many scenarios on the same random numbers."""
