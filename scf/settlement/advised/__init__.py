"""What senders say a bank credit is made of: remittance advices, and settlements of platforms.

A paper is read outside any transaction, stored once, and waits for its credit; a credit that fits
it waits for it, whichever comes first. Where everything agrees the credit is placed by it, and
otherwise it is the first proposal to a person. It never moves money by itself.
"""
