"""What the shop of the tests changes of django-oscar, as shops of firms for firms do."""
