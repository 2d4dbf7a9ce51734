"""The ops, a file per family; `archbuilder.graph.table` lists them all."""
