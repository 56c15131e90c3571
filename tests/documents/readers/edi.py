"""Small interchanges of our own, put together segment by segment with true counts."""

from collections.abc import Sequence

INVOIC = (
    "BGM+380+I-77+9", "DTM+137:20260302:102", "RFF+ON:PO-1", "RFF+DQ:LS-9",
    "NAD+SE+4012345000009::9++Korn Gmbh++Ulm++89073+DE", "RFF+VA:DE 123 456 788",
    "FII+RB+DE89370400440532013000:Korn+COBADEFFXXX",
    "NAD+BY+4000001000005::9++Mühle AG++Bonn++53111+DE",
    "CUX+2:EUR:4", "PAT+1", "DTM+13:20260601:102",
    "ALC+C+Fracht", "MOA+23:10",
    "LIN+1++4000862141404:EN", "PIA+5+A-1:SA", "IMD+F++:::Mehl 550", "QTY+47:4:KGM",
    "MOA+203:100.00", "PRI+AAA:25", "RFF+ON:PO-1:1", "TAX+7+VAT+++:::19+S",
    "LIN+2", "IMD+F++:::Hafer", "QTY+47:1:KGM", "MOA+203:50.5", "PRI+AAA:50.5",
    "RFF+ON:PO-1:2", "TAX+7+VAT+++:::19+S",
    "UNS+S", "CNT+2:2", "MOA+79:150.50", "MOA+259:10", "MOA+389:160.5", "MOA+176:30.50",
    "MOA+388:191", "MOA+9:191.00", "TAX+7+VAT+++:::19+S", "MOA+125:160.5", "MOA+124:30.50",
)  # fmt: skip
ORDERS = (
    "BGM+220+PO-1+9", "DTM+137:202603021430:203",
    "NAD+BY+4000001000005::9++Mühle AG", "NAD+SU+4012345000009::9++Korn Gmbh", "CUX+2:EUR:9",
    "LIN+1++4000862141404:EN", "IMD+F++:::Mehl 550", "QTY+21:4:KGM", "MOA+203:100", "PRI+AAA:25",
    "LIN+2", "IMD+F++:::Hafer", "QTY+21:1:KGM", "MOA+203:50.5", "PRI+AAA:50.5",
    "UNS+S", "MOA+79:150.5", "MOA+86:150.5", "CNT+2:2",
)  # fmt: skip
ORDRSP = (
    "BGM+231+AB-5+4+AI", "DTM+137:20260303:102", "RFF+ON:PO-1",
    "NAD+BY+4000001000005::9++Mühle AG", "NAD+SU+4012345000009::9++Korn Gmbh", "CUX+2:EUR",
    "LIN+1+5", "QTY+21:4:KGM", "RFF+ON:PO-1:1", "LIN+2+7", "QTY+21:1:KGM", "RFF+ON:PO-1:2",
    "UNS+S",
)  # fmt: skip
DESADV = (
    "BGM+351+LS-9+9", "DTM+137:20260304:102", "DTM+11:20260304:102", "RFF+ON:PO-1",
    "NAD+SU+4012345000009::9++Korn Gmbh", "NAD+BY+4000001000005::9++Mühle AG",
    "CPS+1", "PAC+2", "CPS+2+1", "LIN+1++4000862141404:EN", "QTY+12:3:KGM", "RFF+ON:PO-1:1",
)  # fmt: skip
REMADV = (
    "BGM+481+ZA-3+9", "DTM+137:20260601:102", "CUX+2:EUR",
    "NAD+PR+4000001000005::9++Mühle AG", "NAD+PE+4012345000009::9++Korn Gmbh",
    "DOC+380+I-77", "MOA+9:191", "MOA+12:189", "DTM+137:20260302:102",
    "DOC+381+G-1", "MOA+12:20", "UNS+S", "MOA+12:169",
)  # fmt: skip


def edifact(
    *messages: tuple[str, Sequence[str]],
    una: str = "",
    unb: str = "UNOC:3",
    end: str = "'\n",
    charset: str = "latin-1",
) -> bytes:
    """Put messages (name, segments between UNH and UNT) into one interchange."""
    parts = [f"UNB+{unb}+4012345000009:14+4000001000005:14+260302:1403+R7"]
    for number, (name, segments) in enumerate(messages, start=1):
        parts += [f"UNH+{number}+{name}:D:96A:UN", *segments, f"UNT+{len(segments) + 2}+{number}"]
    parts.append(f"UNZ+{len(messages)}+R7")
    return (una + "".join(part + end for part in parts)).encode(charset)


BIG = (
    "BIG*20260302*I-77*20260220*PO-1***DI", "CUR*SE*USD", "REF*SI*LS-9",
    "N1*SE*Grain Inc.*1*123456789", "N4*Omaha*NE*68102", "N1*BT*Mills LLC*UL*4000001000005",
    "N4*Tulsa*OK*74103", "ITD*01*3*****90", "DTM*011*20260301",
    "IT1*1*4*KG*25**UP*036000291452", "PID*F****Flour",
    "IT1*2*1*KG*50.5**VP*A-2", "PID*F****Oats", "TDS*16800", "TXI*ST*7.5*5***8*1**150",
    "SAC*C*D240***1000", "CTT*2",
)  # fmt: skip
BEG = (
    "BEG*00*SA*PO-1**20260220", "CUR*BY*USD", "N1*BY*Mills LLC*UL*4000001000005",
    "N1*SE*Grain Inc.*1*123456789", "PO1*1*4*KG*25**UP*036000291452", "PID*F****Flour",
    "PO1*2*1*KG*50.5**VP*A-2", "CTT*2", "AMT*TT*150.5",
)  # fmt: skip
BAK = (
    "BAK*00*AC*PO-1*20260220****A-5*20260221", "CUR*SE*USD", "N1*BY*Mills LLC*1*987654321",
    "N1*SE*Grain Inc.*1*123456789", "PO1*1*4*KG*25", "ACK*IQ*3*KG", "PO1*2*1*KG*50.5",
    "ACK*IR", "CTT*2",
)  # fmt: skip
BSN = (
    "BSN*00*LS-9*20260301*1200", "HL*1**S", "DTM*011*20260301", "N1*SF*Grain Inc.*1*123456789",
    "N1*ST*Mills LLC*1*987654321", "HL*2*1*O", "PRF*PO-1", "HL*3*2*I", "LIN*1*UP*036000291452",
    "SN1**3*KG", "HL*4*2*I", "LIN*2*VP*A-2", "SN1**1*KG", "CTT*4",
)  # fmt: skip
BPR = (
    "BPR*I*189*C*ACH************20260601", "TRN*1*ZA-3", "CUR*PR*USD",
    "N1*PR*Mills LLC*1*987654321", "N1*PE*Grain Inc.*1*123456789", "ENT*1",
    "RMR*IV*I-77**191*191", "RMR*CM*G-1**-2",
)  # fmt: skip


def x12(*messages: tuple[str, Sequence[str]], usage: str = "P", end: str = "~\n") -> bytes:
    """Put transaction sets (number, segments between ST and SE) into one interchange."""
    header = (
        f"ISA*00*{'':10}*00*{'':10}*01*{'123456789':15}*ZZ*{'MILLS':15}*260302*1403*U*00401"
        f"*000000007*0*{usage}*>"
    )
    parts = [header, "GS*IN*A*B*20260302*1403*1*X*004010"]
    for number, (name, segments) in enumerate(messages, start=1):
        parts += [f"ST*{name}*{number:04}", *segments, f"SE*{len(segments) + 2}*{number:04}"]
    parts += [f"GE*{len(messages)}*1", "IEA*1*000000007"]
    return "".join(part + end for part in parts).encode()
