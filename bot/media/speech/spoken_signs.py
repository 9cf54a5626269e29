"""How signs, units and powers are said in each language: the tables behind `bot.media.speech.speakable`. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bot.render.catalogue import likely

UNITS = (
    "GB", "MB", "KB", "TB", "PB", "GiB", "MiB", "ms", "s", "h", "min", "fps", "FPS", "Hz", "kHz", "MHz", "GHz", "km",
    "cm", "mm", "nm", "m", "kg", "mg", "kWh", "W", "V", "dB", "px", "°C", "°F", "tokens/s", "tok/s", "Gbps", "Mbps",
    "FLOPs", "FLOPS", "GFLOPs", "TFLOPs", "PFLOPs",
)  # fmt: skip
"""Units that are said in full behind a number, as papers write them; the tables below say each in this order."""

SIGNS = ("±", "≤", "≥", "<", ">", "≈", "=", "→", "←", "+", "&", "@", "√", "∞", "∈", "∼", "≠", "·")
"""Signs that stand for a word; the tables below say each in this order."""

GREEK = "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΠΣΦΨΩ"
"""Greek letters of formulas; the tables below name each in this order."""


@dataclass(frozen=True, slots=True)
class SpokenSigns:
    """One language's words. Templates are filled with `{n}`, and `{m}` where there are two numbers."""

    percent: str
    points: str
    """Percentage points."""
    times: str
    """Spoken form of "3×", a number of times."""
    by: str
    """"4×4": a size."""
    span: str
    """"10–20": a range."""
    minus: str
    number: str
    """"#1"."""
    powers: tuple[str, str, str]
    """The second power, the third, and any other."""
    marks: tuple[str, str]
    """A comma, with the space that the language writes behind it, and a full stop."""
    words: Mapping[str, str]
    """Signs, units, Greek letters, and currencies (as templates), by what is written."""
    names: Mapping[str, str]
    """Abbreviations and names that are said otherwise than they are written."""
    large: Sequence[tuple[int, str]]
    """Words for large numbers, the largest first; a space before a word is the language's own."""


def _table(signs: str, units: str, greek: str, more: Mapping[str, str]) -> Mapping[str, str]:
    """The words of a language from lists in the order of SIGNS, UNITS and GREEK, separated by "|"."""
    words: dict[str, str] = {}
    for keys, values in ((SIGNS, signs), (UNITS, units), (GREEK, greek)):
        words |= dict(zip(keys, values.split("|"), strict=True))
    return words | dict(more)


_ENGLISH = SpokenSigns(
    percent="{n} percent",
    points="{n} percentage points",
    times="{n} times",
    by="{n} by {m}",
    span="{n} to {m}",
    minus="minus {n}",
    number="number {n}",
    powers=("squared", "cubed", "to the power of {n}"),
    marks=(", ", "."),
    words=_table(
        "plus or minus|at most|at least|less than|more than|about|equals|to|from|plus|and|at|the square root of"
        "|infinity|in|about|is not|times",
        "gigabytes|megabytes|kilobytes|terabytes|petabytes|gibibytes|mebibytes|milliseconds|seconds|hours|minutes"
        "|frames per second|frames per second|hertz|kilohertz|megahertz|gigahertz|kilometers|centimeters|millimeters"
        "|nanometers|meters|kilograms|milligrams|kilowatt hours|watts|volts|decibels|pixels|degrees Celsius"
        "|degrees Fahrenheit|tokens per second|tokens per second|gigabits per second|megabits per second"
        "|floating point operations|floating point operations per second|gigaflops|teraflops|petaflops",
        "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|omega"
        "|Gamma|Delta|Theta|Lambda|Pi|Sigma|Phi|Psi|Omega",
        {"$": "{n} dollars", "€": "{n} euros", "£": "{n} pounds"},
    ),
    names={
        "e.g.": "for example",
        "i.e.": "that is",
        "et al.": "and others",
        "etc.": "and so on",
        "vs.": "versus",
        "w.r.t.": "with respect to",
        "w/": "with",
        "w/o": "without",
        "arXiv": "archive",
        "LaTeX": "la-tech",
        "SOTA": "state of the art",
    },
    large=((10**12, " trillion"), (10**9, " billion"), (10**6, " million"), (10**3, " thousand")),
)

_KOREAN = SpokenSigns(
    percent="{n}퍼센트",
    points="{n}퍼센트포인트",
    times="{n}배",
    by="{n} 곱하기 {m}",
    span="{n}에서 {m}",
    minus="마이너스 {n}",
    number="{n}번",
    powers=("제곱", "세제곱", "의 {n}제곱"),
    marks=(", ", "."),
    words=_table(
        "플러스마이너스|최대|최소|미만|초과|약|은|에서|에서|플러스|앤드|앳|루트|무한대|인|약|같지 않음|곱하기",
        "기가바이트|메가바이트|킬로바이트|테라바이트|페타바이트|기비바이트|메비바이트|밀리초|초|시간|분"
        "|초당 프레임|초당 프레임|헤르츠|킬로헤르츠|메가헤르츠|기가헤르츠|킬로미터|센티미터|밀리미터|나노미터|미터"
        "|킬로그램|밀리그램|킬로와트시|와트|볼트|데시벨|픽셀|섭씨도|화씨도|토큰 퍼 초|토큰 퍼 초"
        "|기가비피에스|메가비피에스|플롭스|플롭스|기가플롭스|테라플롭스|페타플롭스",
        "알파|베타|감마|델타|엡실론|제타|에타|세타|카파|람다|뮤|뉴|크시|파이|로|시그마|타우|파이|카이|프사이|오메가"
        "|감마|델타|세타|람다|파이|시그마|파이|프사이|오메가",
        {"$": "{n}달러", "€": "{n}유로", "£": "{n}파운드"},
    ),
    names={
        "arXiv": "아카이브", "vs.": "대", "e.g.": "예를 들어", "i.e.": "즉", "et al.": "외",
        "LLM": "엘엘엠", "LLMs": "엘엘엠",
    },
    large=((10**12, "조"), (10**8, "억"), (10**4, "만")),
)  # fmt: skip

_CHINESE_UNITS = (
    "GB|MB|KB|TB|PB|GiB|MiB|毫秒|秒|小时|分钟|帧每秒|帧每秒|赫兹|千赫兹|兆赫兹|吉赫兹|公里|厘米|毫米|纳米|米"
    "|公斤|毫克|千瓦时|瓦|伏|分贝|像素|摄氏度|华氏度|词元每秒|词元每秒|Gbps|Mbps"
    "|次浮点运算|次浮点运算每秒|GFLOPs|TFLOPs|PFLOPs"
)
_CHINESE_GREEK = (
    "阿尔法|贝塔|伽马|德尔塔|艾普西隆|泽塔|伊塔|西塔|卡帕|拉姆达|缪|纽|克西|派|柔|西格玛|陶|斐|卡伊|普西|欧米伽"
    "|伽马|德尔塔|西塔|拉姆达|派|西格玛|斐|普西|欧米伽"
)
_SIMPLIFIED = SpokenSigns(
    percent="百分之{n}",
    points="{n}个百分点",
    times="{n}倍",
    by="{n}乘{m}",
    span="{n}到{m}",
    minus="负{n}",
    number="第{n}",
    powers=("的平方", "的立方", "的{n}次方"),
    marks=("，", "。"),
    words=_table(
        "正负|最多|至少|小于|大于|约|等于|到|从|加|和|at|根号|无穷大|属于|约|不等于|乘",
        _CHINESE_UNITS,
        _CHINESE_GREEK,
        {"$": "{n}美元", "€": "{n}欧元", "£": "{n}英镑"},
    ),
    names={"vs.": "对比", "e.g.": "例如", "i.e.": "即", "et al.": "等"},
    large=((10**12, "万亿"), (10**8, "亿"), (10**4, "万")),
)

_TRADITIONAL = SpokenSigns(
    percent="百分之{n}",
    points="{n}個百分點",
    times="{n}倍",
    by="{n}乘{m}",
    span="{n}到{m}",
    minus="負{n}",
    number="第{n}",
    powers=("的平方", "的立方", "的{n}次方"),
    marks=("，", "。"),
    words=_table(
        "正負|最多|至少|小於|大於|約|等於|到|從|加|和|at|根號|無窮大|屬於|約|不等於|乘",
        "GB|MB|KB|TB|PB|GiB|MiB|毫秒|秒|小時|分鐘|影格每秒|影格每秒|赫茲|千赫茲|兆赫茲|吉赫茲|公里|公分|公釐|奈米|公尺"
        "|公斤|毫克|千瓦時|瓦|伏特|分貝|像素|攝氏度|華氏度|詞元每秒|詞元每秒|Gbps|Mbps"
        "|次浮點運算|次浮點運算每秒|GFLOPs|TFLOPs|PFLOPs",
        "阿爾法|貝塔|伽馬|德爾塔|艾普西隆|澤塔|伊塔|西塔|卡帕|拉姆達|繆|紐|克西|派|柔|西格瑪|陶|斐|卡伊|普西|歐米伽"
        "|伽馬|德爾塔|西塔|拉姆達|派|西格瑪|斐|普西|歐米伽",
        {"$": "{n}美元", "€": "{n}歐元", "£": "{n}英鎊"},
    ),
    names={"vs.": "對比", "e.g.": "例如", "i.e.": "即", "et al.": "等"},
    large=((10**12, "兆"), (10**8, "億"), (10**4, "萬")),
)

_JAPANESE = SpokenSigns(
    percent="{n}パーセント",
    points="{n}ポイント",
    times="{n}倍",
    by="{n}かける{m}",
    span="{n}から{m}",
    minus="マイナス{n}",
    number="{n}番",
    powers=("の2乗", "の3乗", "の{n}乗"),
    marks=("、", "。"),
    words=_table(
        "プラスマイナス|最大|最小|未満|超|約|イコール|から|から|プラス|アンド|アット|ルート|無限大|属する|約|等しくない|かける",
        "ギガバイト|メガバイト|キロバイト|テラバイト|ペタバイト|ギビバイト|メビバイト|ミリ秒|秒|時間|分|フレーム毎秒"
        "|フレーム毎秒|ヘルツ|キロヘルツ|メガヘルツ|ギガヘルツ|キロメートル|センチメートル|ミリメートル|ナノメートル|メートル"
        "|キログラム|ミリグラム|キロワット時|ワット|ボルト|デシベル|ピクセル|度|華氏度|トークン毎秒|トークン毎秒"
        "|ギガビット毎秒|メガビット毎秒|フロップス|フロップス|ギガフロップス|テラフロップス|ペタフロップス",
        "アルファ|ベータ|ガンマ|デルタ|イプシロン|ゼータ|イータ|シータ|カッパ|ラムダ|ミュー|ニュー|クサイ|パイ|ロー|シグマ|タウ"
        "|ファイ|カイ|プサイ|オメガ|ガンマ|デルタ|シータ|ラムダ|パイ|シグマ|ファイ|プサイ|オメガ",
        {"$": "{n}ドル", "€": "{n}ユーロ", "£": "{n}ポンド"},
    ),
    names={"arXiv": "アーカイブ", "vs.": "対", "e.g.": "例えば", "i.e.": "すなわち", "et al.": "ら"},
    large=((10**12, "兆"), (10**8, "億"), (10**4, "万")),
)  # fmt: skip

_ARABIC = SpokenSigns(
    percent="{n} بالمئة",
    points="{n} نقطة مئوية",
    times="{n} أضعاف",
    by="{n} في {m}",
    span="{n} إلى {m}",
    minus="ناقص {n}",
    number="رقم {n}",
    powers=("تربيع", "تكعيب", "أس {n}"),
    marks=("، ", "."),
    words=_table(
        "زائد أو ناقص|على الأكثر|على الأقل|أقل من|أكثر من|نحو|يساوي|إلى|من|زائد|و|عند|جذر|ما لا نهاية|في|نحو"
        "|لا يساوي|في",
        "غيغابايت|ميغابايت|كيلوبايت|تيرابايت|بيتابايت|غيبيبايت|ميبيبايت|ميلي ثانية|ثانية|ساعة|دقيقة|إطار في الثانية"
        "|إطار في الثانية|هرتز|كيلوهرتز|ميغاهرتز|غيغاهرتز|كيلومتر|سنتيمتر|مليمتر|نانومتر|متر|كيلوغرام|مليغرام"
        "|كيلوواط ساعة|واط|فولت|ديسيبل|بكسل|درجة مئوية|درجة فهرنهايت|رمز في الثانية|رمز في الثانية"
        "|غيغابت في الثانية|ميغابت في الثانية|عملية حسابية|عملية حسابية في الثانية|غيغافلوبس|تيرافلوبس|بيتافلوبس",
        "ألفا|بيتا|غاما|دلتا|إبسيلون|زيتا|إيتا|ثيتا|كابا|لامدا|ميو|نيو|كساي|باي|رو|سيغما|تاو|فاي|خاي|بساي|أوميغا"
        "|غاما|دلتا|ثيتا|لامدا|باي|سيغما|فاي|بساي|أوميغا",
        {"$": "{n} دولار", "€": "{n} يورو", "£": "{n} جنيه"},
    ),
    names={"vs.": "مقابل", "e.g.": "مثلا", "i.e.": "أي"},
    large=((10**12, " تريليون"), (10**9, " مليار"), (10**6, " مليون"), (10**3, " ألف")),
)

_LANGUAGES = {
    "en": _ENGLISH,
    "ko": _KOREAN,
    "zh-Hans": _SIMPLIFIED,
    "zh-Hant": _TRADITIONAL,
    "ja": _JAPANESE,
    "ar": _ARABIC,
}


@cache
def spoken_signs(language: str) -> SpokenSigns | None:
    """The words of a language; None where there are none, so that its signs are left to the voice."""
    return _LANGUAGES.get(language) or _LANGUAGES.get(likely(language)[0])
