"""The English of the findings: one file a topic, each of functions from numbers and names to a sentence.

Nothing is computed or decided here, and no sentence stands outside: another wording changes these files alone.
"""
