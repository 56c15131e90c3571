"""The matcher of bank entries, on made-up payers that write as real ones do."""
