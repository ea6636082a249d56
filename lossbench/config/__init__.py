"""Configuration: the text of a YAML file becomes an `Experiment`, and an `Experiment` becomes a `Trial`.

yaml.py         text -> Node: strict YAML, every value with its position
merge.py        Node + Node -> Node: defaults < extends < file < command line
resolve.py      path + overrides -> Experiment, or all errors at once
schema.py       the sections of an experiment: keys, types, ranges and defaults, as frozen records
  data.py, model.py, optimizer.py, sweep.py    the larger sections; model.py also lists the layers of each model
  datasets.py   the table of data sets known by name
  section.py    building blocks of sections
rules.py        rules between keys
explain.py      validation errors -> sentences
dump.py         Experiment -> mapping -> YAML
starter.py      the file that `lossbench init` writes
identity.py     Experiment -> Trial: the digest that names a run folder
json_schema.py  the schema for editors
"""
