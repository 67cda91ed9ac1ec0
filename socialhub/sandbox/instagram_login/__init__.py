"""Instagram's own login, simulated: accounts without a Page, the dialog, tokens of an hour and of sixty days."""
