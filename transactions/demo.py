"""The demo business: what `seed_demo` loads. Everything in it is invented, but looks like Singapore."""

from dataclasses import dataclass
from decimal import Decimal

from core.access import Role
from customers.models import PaymentType
from equipment.models import Equipment

PASSWORD = "hsh-demo-2026"  # noqa: S105 -- printed on purpose; the command refuses to run without DEBUG

DEPOTS = (
    ("HSH KB", "HSH Kaki Bukit", "61 Kaki Bukit Avenue 1, Singapore 417943"),
    ("SINGGAS", "SINGGAS Tuas", "9 Tuas South Lane, Singapore 637304"),
    ("UNION", "UNION Sungei Kadut", "30 Sungei Kadut Street 2, Singapore 729245"),
)

CYLINDER, METER, REGULATOR = Equipment.Type.CYLINDER, Equipment.Type.METER, Equipment.Type.REGULATOR
EQUIPMENT = (
    ("CYL-9-POL", "9 kg POL cylinder", CYLINDER, "9.00", "27.00", "40.00"),
    ("CYL-12.7-POL", "12.7 kg POL cylinder", CYLINDER, "12.70", "35.00", "50.00"),
    ("CYL-14-POL", "14 kg POL cylinder", CYLINDER, "14.00", "38.50", "60.00"),
    ("CYL-50-POL", "50 kg POL cylinder", CYLINDER, "50.00", "142.00", "180.00"),
    ("CYL-50-L", "50 kg L cylinder (liquid off-take)", CYLINDER, "50.00", "148.00", "200.00"),
    ("MTR-G4", "Gas meter G4", METER, None, "165.00", "80.00"),
    ("MTR-G10", "Gas meter G10", METER, None, "310.00", "120.00"),
    ("REG-LP", "Low-pressure regulator", REGULATOR, None, "28.00", None),
    ("REG-HP", "High-pressure regulator", REGULATOR, None, None, None),
)

USERS = (
    ("admin", "Lim", "Mei Ling", Role.ADMIN, None, ""),
    ("supervisor", "Rajendran", "Suresh", Role.SUPERVISOR, "HSH KB", ""),
    ("depot", "Nur Aisyah", "Binte Rahman", Role.DEPOT_STAFF, "HSH KB", ""),
    ("sales", "Chua", "Kai Wen", Role.SALES, "HSH KB", "GBH7702X"),
    ("driver1", "Tan", "Ah Beng", Role.DRIVER, "HSH KB", "GBK1234A"),
    ("driver2", "Muhammad", "Faizal", Role.DRIVER, "HSH KB", "GBL5678B"),
    ("driver3", "Govindasamy", "Kumar", Role.DRIVER, "SINGGAS", "GBM9012C"),
    ("driver4", "Wong", "Chee Keong", Role.DRIVER, "UNION", ""),
)


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """``days`` None: pays cash. ``meter``: (price of a unit, reading)."""

    name: str
    address: str
    postal_code: str
    days: int | None = None
    uen: str = ""
    gst_registration_no: str = ""
    meter: tuple[str, str] | None = None
    contract: tuple[tuple[str, str], ...] = ()

    @property
    def payment_type(self) -> PaymentType:
        return PaymentType.CASH if self.days is None else PaymentType.CREDIT


C = DemoCustomer
CUSTOMERS = (
    C("Ah Hock Chicken Rice", "Blk 216 Bedok North Street 1 #01-21", "460216", contract=(("CYL-14-POL", "36.00"),)),
    C("Lao Jiang Superior Soup 老姜上汤", "Blk 58 New Upper Changi Road #01-190", "461058"),
    C("Selera Rasa Nasi Lemak", "2 Adam Road #01-02 Adam Food Centre", "289876"),
    C("முருகன் உணவகம் Murugan Eating House", "76 Serangoon Road", "217981", contract=(("CYL-12.7-POL", "33.50"),)),
    C("Kopitiam Tian Hock", "Blk 347 Ang Mo Kio Avenue 3 #01-2150", "560347", 14, "53219876D",
      contract=(("CYL-14-POL", "35.50"), ("CYL-50-POL", "134.00"))),
    C("Golden Wok Zi Char 金镬煮炒", "Blk 136 Hougang Avenue 1 #01-1384", "530136", 14, "53287651K"),
    C("Seng Kee Bak Kut Teh", "2 Sims Avenue East", "387386", 14, "201412345K", "201412345K"),
    C("Hup Lee Bakery Pte. Ltd.", "12 Defu Lane 10", "539193", 30, "199804321M", "M90012345X",
      ("2.3500", "48210.50"), (("CYL-50-L", "139.00"),)),
    C("Roti Prata Corner", "Blk 801 Tampines Avenue 4 #01-15", "520801"),
    C("Mei Fong Dim Sum 美芳点心", "51 Upper Paya Lebar Road", "534820", 14, "53301122L"),
    C("Restoran Minang Sdn", "18A Kandahar Street", "198884", 14, "53177889B"),
    C("Orchid Park Condominium MCST 3021", "20 Yishun Avenue 8", "768993", 30, "T03MC3021A", "",
      ("2.1500", "15320.00")),
    C("Casa Verde MCST 2877", "41 Bukit Batok East Avenue 6", "659761", 30, "T01MC2877F", "", ("2.1500", "9871.40")),
    C("Eastwood Laundry Services Pte. Ltd.", "3 Kaki Bukit Road 2 #02-11", "417837", 30, "200567890W", "M90234567Y",
      ("2.2800", "102455.80"), (("CYL-50-L", "138.00"),)),
    C("Sin Ming Auto Spray Painting", "Blk 25 Sin Ming Road #01-07", "570025", 30, "53098765J"),
    C("Pasir Panjang Seafood Village", "401 Pasir Panjang Road", "118731", 30, "201798765E", "201798765E",
      ("2.3000", "22810.00"), (("CYL-50-POL", "132.50"),)),
    C("Mdm Goh Siew Lan", "Blk 108 Potong Pasir Avenue 1 #05-444", "350108"),
    C("Encik Rahman bin Ismail", "Blk 663 Jalan Damai #09-77", "410663"),
    C("Mr Anand Krishnan", "12 Lorong Marzuki", "417102"),
    C("Toa Payoh Lor 8 Hawker Stall 27", "210 Lorong 8 Toa Payoh #01-27", "310210"),
    C("Geylang Claypot Rice", "639 Lorong 33 Geylang", "387892", 14, "53155443P"),
    C("Boon Lay Power Nasi Lemak", "221 Boon Lay Place #01-106", "640221"),
    C("Tiong Bahru Pau Factory", "8 Jalan Bukit Merah #01-12", "150008", 14, "200912876H", "200912876H",
      None, (("CYL-50-POL", "136.00"),)),
    C("Warung M. Nasir", "69 Killiney Road", "239526", 14, "53166554C"),
    C("Soon Huat Coffee Roasters", "7 Senoko South Road", "758080", 30, "198812345R", "M90098765K",
      ("2.2500", "67540.10")),
    C("Jurong West Steamboat House", "Blk 504 Jurong West Street 51 #01-211", "640504", 14, "53344556T"),
    C("Chomp Grill Satay Bee Hoon", "20 Kensington Park Road #01-33", "557269"),
    C("Nanyang Noodle Manufacturing", "15 Woodlands Terrace", "738438", 30, "199201234C", "M90054321W",
      ("2.2000", "88123.30"), (("CYL-50-L", "137.50"),)),
    C("Katong Laksa 328", "53 East Coast Road", "428768", 14, "53177660X"),
    C("Haji Lane Café", "33 Haji Lane", "189225", 14, "53211998M"),
    C("The Banyan Residences MCST 4410", "60 Holland Grove Road", "278845", 30, "T17MC4410B", "",
      ("2.1500", "3204.75")),
    C("Fei Fei Wanton Mee 肥肥云吞面", "62 Joo Chiat Place", "427785"),
    C("Al-Azhar Eating Restaurant", "11 Cheong Chin Nam Road", "599736", 14, "53200112N"),
    C("Yishun Ring Kitchen Caterers", "9 Yishun Industrial Street 1 #04-67", "768163", 30, "201567432Z", "201567432Z",
      ("2.3000", "31877.60")),
    C("Bukit Timah Church Canteen", "9 Chun Tin Road", "599602"),
    C("Sembawang White Bee Hoon", "22 Jalan Tampang", "758966", 14, "53299001E"),
    C("Ponggol Nasi Lemak", "371 Jalan Besar", "208998"),
    C("Little India Sweets இனிப்பகம்", "28 Buffalo Road", "219787"),
    C("Marine Parade Roasted Meats 烧腊", "84 Marine Parade Central #01-158", "440084"),
    C("Clementi Zhi Char Garden", "Blk 328 Clementi Avenue 2 #01-210", "120328", 14, "53188774G"),
)  # fmt: skip

STOCK = {
    "HSH KB": {"CYL-9-POL": 60, "CYL-12.7-POL": 140, "CYL-14-POL": 160, "CYL-50-POL": 80, "CYL-50-L": 50,
               "MTR-G4": 6, "MTR-G10": 3, "REG-LP": 40, "REG-HP": 12},
    "SINGGAS": {"CYL-12.7-POL": 200, "CYL-14-POL": 220, "CYL-50-POL": 120, "CYL-50-L": 90},
    "UNION": {"CYL-9-POL": 90, "CYL-14-POL": 180, "CYL-50-POL": 60},
}  # fmt: skip

AT_CUSTOMERS = 4
"""Cylinders of each customer's usual kind that stand at their site when the books begin."""

LOADS = {
    "driver1": ("HSH KB", {"CYL-12.7-POL": 24, "CYL-14-POL": 30, "CYL-50-POL": 12, "CYL-50-L": 8, "REG-LP": 4}),
    "driver2": ("HSH KB", {"CYL-9-POL": 10, "CYL-12.7-POL": 20, "CYL-14-POL": 24, "CYL-50-POL": 10}),
    "driver3": ("SINGGAS", {"CYL-12.7-POL": 20, "CYL-14-POL": 24, "CYL-50-L": 10}),
}

SALES = 32
RATES_FROM_DAYS_AGO = 400
RISE_IN_DAYS = 30
RISE = Decimal("1.50")
"""Every contract's next price: agreed on already, in force a month from now."""
