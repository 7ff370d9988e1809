"""What an election is described by: scenarios, their parts, the evidence, and their files.

Knows the rules and the engine's `Plan`, to which a description compiles itself.  It must not know runs or forecasts.
"""
