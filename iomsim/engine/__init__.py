"""Elections as arrays: a `Plan` and parameters go in, rounds are held, `Outcomes` come out.

Knows numpy (scipy and tqdm when first used) and the rules; `simulate` is the one way in which elections are played,
and `laws` holds each law of the model once.  It must not know pandas, pydantic, or what describes an election.
"""
