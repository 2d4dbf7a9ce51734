"""Readers that compute facts about a graph; none of them needs torch."""
