"""What LinkedIn's facets of followers are called: it names them by URN, and each name would cost a call.

Keys are plain English words, countries their two letters (ISO 3166), as other networks give them. What is not in these
tables keeps its URN. Source: LinkedIn standardized data (seniorities, functions, staff count ranges, countries), read
November 2026.
"""

from __future__ import annotations

SENIORITIES = {
    "1": "Unpaid",
    "2": "Training",
    "3": "Entry",
    "4": "Senior",
    "5": "Manager",
    "6": "Director",
    "7": "Vice President",
    "8": "Chief Officer",
    "9": "Partner",
    "10": "Owner",
}
FUNCTIONS = {
    str(number): name
    for number, name in enumerate(
        (
            "Accounting",
            "Administrative",
            "Arts and Design",
            "Business Development",
            "Community and Social Services",
            "Consulting",
            "Education",
            "Engineering",
            "Entrepreneurship",
            "Finance",
            "Healthcare Services",
            "Human Resources",
            "Information Technology",
            "Legal",
            "Marketing",
            "Media and Communication",
            "Military and Protective Services",
            "Operations",
            "Product Management",
            "Program and Project Management",
            "Purchasing",
            "Quality Assurance",
            "Real Estate",
            "Research",
            "Sales",
            "Customer Success and Support",
        ),
        start=1,
    )
}
COMPANY_SIZES = {
    "SIZE_1": "1",
    "SIZE_2_TO_10": "2-10",
    "SIZE_11_TO_50": "11-50",
    "SIZE_51_TO_200": "51-200",
    "SIZE_201_TO_500": "201-500",
    "SIZE_501_TO_1000": "501-1,000",
    "SIZE_1001_TO_5000": "1,001-5,000",
    "SIZE_5001_TO_10000": "5,001-10,000",
    "SIZE_10001_OR_MORE": "10,001+",
}
COUNTRIES = {
    "100364837": "PT",
    "100446943": "AR",
    "100456013": "FI",
    "100565514": "BE",
    "101165590": "GB",
    "101174742": "CA",
    "101282230": "DE",
    "101355337": "JP",
    "101452733": "AU",
    "101620260": "IL",
    "102105699": "TR",
    "102454443": "SG",
    "102713980": "IN",
    "102890719": "NL",
    "102890883": "CN",
    "103323778": "MX",
    "103350119": "IT",
    "103644278": "US",
    "103819153": "NO",
    "103883259": "AT",
    "104035573": "ZA",
    "104305776": "AE",
    "104508036": "CZ",
    "104514075": "DK",
    "104677530": "GR",
    "104738515": "IE",
    "105015875": "FR",
    "105072130": "PL",
    "105117694": "SE",
    "105490917": "NZ",
    "105646813": "ES",
    "106057199": "BR",
    "106693272": "CH",
}
NAMES: dict[str, dict[str, str]] = {
    "seniority": SENIORITIES,
    "function": FUNCTIONS,
    "company_size": COMPANY_SIZES,
    "country": COUNTRIES,
}


def name_of(dimension: str, urn: str) -> str:
    """What a part of the followers is called, its URN where we do not know."""
    return NAMES.get(dimension, {}).get(urn.rpartition(":")[2], urn)
