"""From outcomes to a forecast: counts, tables, sentences, files; `run` is :func:`iomsim.forecast`.

Knows the model and the engine.  It must not know what-ifs, election days or charts; results find their charts
by the one bridge in `result`.
"""
