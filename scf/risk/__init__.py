"""Risk: what was known of a firm before a day, what that says of it, and what a claim should cost.

Owns the facts of firms that no document holds (registry, statement, rating), the nightly
assessments of every firm of a chain snapshot, and the stored making of every risk price. The only
room that calls ``scoring/``. What it says is an expert's prior, set by judgement, until two
people have promoted a trained model: then that one's word takes the card's place.
"""
