"""Delivery: portal and JSON API. Knows HTTP and owns no rule."""
