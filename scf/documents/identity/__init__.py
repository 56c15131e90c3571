"""Who the firms are that waiting documents name: the cases, and people's words on them."""
