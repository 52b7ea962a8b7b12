"""Countries and territories as the last line of an address abroad may name them, in lower case."""

from __future__ import annotations

HOME = frozenset(("united kingdom", "uk", "u.k.", "great britain", "england", "scotland", "wales", "northern ireland", "cymru"))
"""Not abroad: a postcode ends these addresses."""

COUNTRIES = frozenset(
    name.strip()
    for name in """
afghanistan; albania; algeria; andorra; angola; anguilla; antigua and barbuda; argentina; armenia; aruba; australia; austria; azerbaijan;
bahamas; the bahamas; bahrain; bangladesh; barbados; belarus; belgium; belize; benin; bermuda; bhutan; bolivia; bosnia and herzegovina;
botswana; brazil; british virgin islands; brunei; bulgaria; burkina faso; burma; burundi; cambodia; cameroon; canada; cape verde;
cayman islands; central african republic; chad; chile; china; colombia; comoros; congo; cook islands; costa rica; croatia; cuba; curaçao;
curacao; cyprus; czech republic; czechia; democratic republic of the congo; denmark; djibouti; dominica; dominican republic; east timor;
ecuador; egypt; el salvador; equatorial guinea; eritrea; estonia; eswatini; ethiopia; falkland islands; faroe islands; fiji; finland;
france; french guiana; french polynesia; gabon; the gambia; gambia; georgia; germany; ghana; gibraltar; greece; greenland; grenada;
guadeloupe; guam; guatemala; guinea; guinea-bissau; guyana; haiti; honduras; hong kong; hungary; iceland; india; indonesia; iran; iraq;
ireland; republic of ireland; israel; italy; ivory coast; côte d'ivoire; jamaica; japan; jordan; kazakhstan; kenya; kiribati; kosovo;
kuwait; kyrgyzstan; laos; latvia; lebanon; lesotho; liberia; libya; liechtenstein; lithuania; luxembourg; macao; macau; madagascar; malawi;
malaysia; maldives; mali; malta; marshall islands; martinique; mauritania; mauritius; mayotte; mexico; micronesia; moldova; monaco;
mongolia; montenegro; montserrat; morocco; mozambique; myanmar; namibia; nauru; nepal; netherlands; the netherlands; new caledonia;
new zealand; nicaragua; niger; nigeria; niue; north korea; north macedonia; norway; oman; pakistan; palau; palestine; panama;
papua new guinea; paraguay; peru; philippines; the philippines; pitcairn; poland; portugal; puerto rico; qatar; réunion; reunion; romania;
russia; rwanda; samoa; san marino; sao tome and principe; saudi arabia; senegal; serbia; seychelles; sierra leone; singapore; sint maarten;
slovakia; slovenia; solomon islands; somalia; south africa; south korea; south sudan; spain; sri lanka; st helena; st kitts and nevis;
st lucia; st pierre and miquelon; st vincent; sudan; suriname; sweden; switzerland; syria; taiwan; tajikistan; tanzania; thailand;
timor-leste; togo; tonga; trinidad and tobago; tristan da cunha; tunisia; türkiye; turkey; turkmenistan; turks and caicos islands; tuvalu;
uganda; ukraine; united arab emirates; united states; united states of america; usa; u.s.a.; uruguay; uzbekistan; vanuatu; vatican city;
venezuela; vietnam; wallis and futuna; western sahara; yemen; zambia; zimbabwe
""".replace("\n", " ").split(";")
)
