"""What a payment is made of, and to whom an invoice is to be paid, as papers for other systems.

A remittance advice explains a payment to whoever got it; a notice of assignment tells the debtor's
system the payee of record. Both leave as UBL 2.1.
"""
