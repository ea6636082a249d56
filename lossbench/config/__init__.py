"""Configuration: the text of a YAML file becomes an `Experiment`, and an `Experiment` becomes a `Trial`.

yaml.py         text -> Node: strict YAML, every value with the place where it stands
merge.py        Node + Node -> Node: defaults < extends < file < command line
schema.py       the keys, their types, ranges and defaults, as frozen records
rules.py        what must hold between keys
explain.py      what pydantic found wrong -> sentences
resolve.py      path + overrides -> Experiment, or every error at once
write.py        Experiment -> mapping -> YAML
identity.py     Experiment -> Trial: the digest that names a run folder
seeds.py        seed + purpose -> random generator
json_schema.py  the schema for editors
"""
