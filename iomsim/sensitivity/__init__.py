"""What if? Many parameter vectors of one election on the same random numbers.

Knows the engine's one call, the model and forecasts.  It must not know charts or election days.
"""
