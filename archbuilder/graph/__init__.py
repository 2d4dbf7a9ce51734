"""The typed graph of a network, and the op table. Knows neither YAML nor torch."""
