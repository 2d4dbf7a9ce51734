"""YAML text -> validated models, with a memory of where everything was written."""
