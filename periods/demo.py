"""The demo business: what `seed_demo` loads. It looks like Singapore, and every customer in it is invented.

The streets are real. No name with a UEN, a debt or a contract price beside it may be a real business's.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from customers.models import PaymentType
from equipment.models import Equipment
from foundation.access.capabilities import Role
from payments.models import Payment

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
    ("accounts", "Koh", "Li Ting", Role.ACCOUNTS, None, ""),
    ("auditor", "Nair", "Priya", Role.AUDITOR, None, ""),
)


SPARE_VEHICLE = ("GBQ4411K", "HSH KB")
"""Nobody's so far: its number and depot."""


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
    C("Kim Leng Herbal Soup 金龙汤", "Blk 58 New Upper Changi Road #01-998", "461058"),
    C("Selera Makcik Timah", "Blk 92 Farrer Road #01-998", "269876"),
    C("முருகன் உணவகம் Murugan Eating House", "76 Serangoon Road", "217981", contract=(("CYL-12.7-POL", "33.50"),)),
    C("Kopitiam Tian Hock", "Blk 347 Ang Mo Kio Avenue 3 #01-2150", "560347", 14, "53919876E",
      contract=(("CYL-14-POL", "35.50"), ("CYL-50-POL", "134.00"))),
    C("Golden Wok Zi Char 金镬煮炒", "Blk 136 Hougang Avenue 1 #01-1384", "530136", 14, "53987651L"),
    C("Guan Heng Bak Kut Teh", "998 Sims Avenue East", "387386", 14, "201492345D", "201492345D"),
    C("Hup Lee Bakery Pte. Ltd.", "12 Defu Lane 10", "539193", 30, "199894321C", "M90012345X",
      ("2.3500", "48210.50"), (("CYL-50-L", "139.00"),)),
    C("Roti Prata Corner", "Blk 801 Tampines Avenue 4 #01-15", "520801"),
    C("Mei Fong Dim Sum 美芳点心", "51 Upper Paya Lebar Road", "534820", 14, "53901122C"),
    C("Restoran Angin Timur", "98B Kandahar Street", "198884", 14, "53977889C"),
    C("Orchid Lantern Condominium MCST 9021", "998 Yishun Avenue 8", "768993", 30, "T03MC9021B", "",
      ("2.1500", "15320.00")),
    C("Casa Kenanga MCST 9877", "41 Bukit Batok East Avenue 6", "659761", 30, "T01MC9877J", "", ("2.1500", "9871.40")),
    C("Eastwood Laundry Services Pte. Ltd.", "3 Kaki Bukit Road 2 #02-11", "417837", 30, "200597890E", "M90234567Y",
      ("2.2800", "102455.80"), (("CYL-50-L", "138.00"),)),
    C("Sin Ming Auto Spray Painting", "Blk 25 Sin Ming Road #01-07", "570025", 30, "53998765D"),
    C("Pasir Panjang Seafood Village", "401 Pasir Panjang Road", "118731", 30, "201798765R", "201798765R",
      ("2.3000", "22810.00"), (("CYL-50-POL", "132.50"),)),
    C("Mdm Goh Siew Lan", "Blk 108 Potong Pasir Avenue 1 #05-444", "350108"),
    C("Encik Rahman bin Ismail", "Blk 663 Jalan Damai #09-77", "410663"),
    C("Mr Anand Krishnan", "12 Lorong Marzuki", "417102"),
    C("Toa Payoh Lor 8 Hawker Stall 27", "210 Lorong 8 Toa Payoh #01-27", "310210"),
    C("Poh Seng Claypot Rice", "998 Lorong 31 Geylang", "387892", 14, "53955443W"),
    C("Nasi Lemak Tiga Serangkai", "Blk 221 Boon Lay Place #01-998", "640221"),
    C("Wah Lok Pau Factory", "8 Jalan Bukit Merah #01-12", "150008", 14, "200992876W", "200992876W",
      None, (("CYL-50-POL", "136.00"),)),
    C("Warung Pak Sudin", "998 Killiney Road", "239526", 14, "53966554A"),
    C("Soon Huat Coffee Roasters", "7 Senoko South Road", "758080", 30, "198892345M", "M90098765K",
      ("2.2500", "67540.10")),
    C("Jurong West Steamboat House", "Blk 504 Jurong West Street 51 #01-211", "640504", 14, "53944556L"),
    C("Swee Guan Satay Bee Hoon", "Blk 998 Kensington Park Road #01-98", "557269"),
    C("Nanyang Noodle Manufacturing", "15 Woodlands Terrace", "738438", 30, "199291234C", "M90054321W",
      ("2.2000", "88123.30"), (("CYL-50-L", "137.50"),)),
    C("Nyonya Geok Laksa", "998 East Coast Road", "428768", 14, "53977660B"),
    C("Haji Lane Café", "33 Haji Lane", "189225", 14, "53911998M"),
    C("The Lantana Grove MCST 9410", "998 Holland Grove Road", "278845", 30, "T17MC9410K", "",
      ("2.1500", "3204.75")),
    C("Hock Chuan Wanton Mee 福泉云吞面", "998 Joo Chiat Place", "427785"),
    C("Cahaya Pagi Eating House", "998 Cheong Chin Nam Road", "599736", 14, "53900112X"),
    C("Yishun Ring Kitchen Caterers", "9 Yishun Industrial Street 1 #04-67", "768163", 30, "201597432W", "201597432W",
      ("2.3000", "31877.60")),
    C("Bukit Timah Church Canteen", "9 Chun Tin Road", "599602"),
    C("Uncle Thiam Bee Hoon", "998 Jalan Tampang", "758966", 14, "53999001M"),
    C("Nasi Padang Seri Wangi", "998 Jalan Besar", "208998"),
    C("Little India Sweets இனிப்பகம்", "28 Buffalo Road", "219787"),
    C("Marine Parade Roasted Meats 烧腊", "84 Marine Parade Central #01-158", "440084"),
    C("Clementi Zhi Char Garden", "Blk 328 Clementi Avenue 2 #01-210", "120328", 14, "53988774M"),
)  # fmt: skip

STOCK = {
    "HSH KB": {"CYL-9-POL": 60, "CYL-12.7-POL": 140, "CYL-14-POL": 160, "CYL-50-POL": 80, "CYL-50-L": 50,
               "MTR-G4": 6, "MTR-G10": 3, "REG-LP": 40, "REG-HP": 12},
    "SINGGAS": {"CYL-12.7-POL": 200, "CYL-14-POL": 220, "CYL-50-POL": 120, "CYL-50-L": 90},
    "UNION": {"CYL-9-POL": 90, "CYL-14-POL": 180, "CYL-50-POL": 60},
}  # fmt: skip

MAILED_WITH_DAYS = 30
"""Customers with these terms get their invoices by email."""

PAYMENTS = (
    (Payment.Method.PAYNOW, Decimal("0.5"), "PN-4471"),
    (Payment.Method.CHEQUE, Decimal("1"), "CHQ 100231"),
    (Payment.Method.BANK_TRANSFER, Decimal("1.2"), "FT-90017"),
)
"""Of the oldest open invoices: how they were paid, and what part of them; more than all of it is credit."""

AT_CUSTOMERS = 4
"""Cylinders of each customer's usual kind that stand at their site when the books begin."""

LOADS = {
    "driver1": ("HSH KB", {"CYL-12.7-POL": 24, "CYL-14-POL": 30, "CYL-50-POL": 12, "CYL-50-L": 8, "REG-LP": 4}),
    "driver2": ("HSH KB", {"CYL-9-POL": 10, "CYL-12.7-POL": 20, "CYL-14-POL": 24, "CYL-50-POL": 10}),
    "driver3": ("SINGGAS", {"CYL-12.7-POL": 20, "CYL-14-POL": 24, "CYL-50-L": 10}),
}

SALES = 32
LOADED_BEFORE_NOW = timedelta(days=3)
"""When the drivers loaded. The sales follow over the next two days."""
FIRST_SALE_AFTER = timedelta(hours=12)
SALES_APART = timedelta(minutes=95)
RATES_FROM_DAYS_AGO = 400
RISE_IN_DAYS = 30
RISE = Decimal("1.50")
"""Every contract's next price: agreed on already, in force a month from now."""
