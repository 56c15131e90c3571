"""Trade documents: orders, receipts, invoices, credit notes, plain payments and their files.

Owns what a document says, whether it is complete, matched, accepted, disputed and paid, and the
amounts that finance may take of an invoice. Later slices change those amounts only through the
inner functions of ``axes``, within their own transaction.
"""
