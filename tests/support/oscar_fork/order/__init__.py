"""Oscar's orders, with the VAT number of the firm that is billed."""
