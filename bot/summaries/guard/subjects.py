"""What a text is about, by words for subjects of this field that are known in several languages. Pure.

Words are looked for as pieces of other words: inflection, particles and compounds are not told apart, so that only
what is hardly ever a piece of something else is in the table.
"""

from __future__ import annotations

import re

_TABLE = """
music song melod audio sound | 음악 | 音楽 | 音乐 音樂 | موسيق
audio sound speech spoken voice vocal acoustic music asr tts | 음성 소리 음향 오디오 | 音声 音響 オーディオ 音質 | 音频 音頻 语音 語音 声音 | سمعي صوتي
video film movie clip footage frame | 동영상 비디오 | 動画 ビデオ | 视频 視頻 影片 | فيديو
image imag visual vision photo picture video pixel | 이미지 사진 그림 영상 | 画像 写真 映像 | 图像 圖像 图片 圖片 | صور
edit | 편집 | 編集 | 编辑 編輯 | تحرير
robot manipulat humanoid embod locomot | 로봇 | ロボット | 机器人 機器人 | روبوت
financ market stock trad econom invest | 금융 주식 수익률 | 金融 株式 収益率 | 金融 股票 收益率 | أسهم استثمار
medic clinic patient health disease hospital radiolog surg biomed | 의료 임상 환자 | 医療 臨床 患者 | 医疗 醫療 临床 臨床 患者 | سريري مرضى
math olympiad theorem algebra arithmetic proof imo | 수학 올림피아드 | 数学 オリンピック | 数学 數學 奥林匹克 | رياضيات
code coding program software repositor swe github | 코딩 소프트웨어 저장소 프로그래밍 | ソフトウェア プログラミング コーディング リポジトリ | 软件 軟體 编程 仓库 | برمج
database sql relational table tabular | 데이터베이스 | データベース | 数据库 資料庫 | علائقية
document pdf paper page book text corpus corpora | 문서 | 文書 | 文档 文件 | وثائق مستند
egocentric first-person ego | 인칭 | 一人称 | 第一人称 第一視角 | الشخص الأول
camera view pose photo image video | 카메라 | カメラ | 相机 相機 | كاميرا
3d three-dimension point geometr scene mesh gaussian depth spatial | 점군 포인트 경계상자 기하 | 点群 幾何 三次元 | 点云 點雲 几何 三维 三維 | الأبعاد
memor cache stor recall buffer | 기억 메모리 | 記憶 メモリ | 记忆 記憶 内存 | ذاكرة
attention transformer softmax | 어텐션 | アテンション 注意機構 | 注意力 | الانتباه
reinforc rl grpo ppo rlvr reward policy | 강화학습 보상 | 強化学習 報酬 | 强化学习 強化學習 奖励 獎勵 | المعزز مكافأ
gradient descent backprop | 기울기 경사하강 | 勾配 | 梯度 | التدرج
entrop | 엔트로피 | エントロピー | 熵 | إنتروبي
evol genetic mutat crossover | 진화 교차 변이 | 進化 交叉 変異 | 进化 進化 变异 交叉 | طفرات
diffus denois flow | 확산 | 拡散 | 扩散 擴散 | الانتشار
web search brows retriev internet rag | 검색 | 検索 ウェブ | 搜索 搜尋 检索 檢索 网页 網頁 | الويب استرجاع
agent | 에이전트 | エージェント | 智能体 智能體 | وكيل وكلاء
translat multilingual language lingu | 번역 다국어 | 翻訳 多言語 | 翻译 翻譯 多语言 多語言 | ترجم
automat cellular | 오토마타 | オートマトン | 自动机 自動機 | خلوية
driv vehicle car traffic lane | 자율주행 차량 운전 | 自動運転 車両 | 驾驶 駕駛 车辆 車輛 | مركبات
protein molecul chem biolog drug gene | 단백질 분자구조 화합물 | タンパク質 分子 化合物 | 蛋白 分子 化合物 | بروتين جزيئ كيميا
weather climate forecast earth satellite remote geospatial | 날씨 기후 기상 위성 | 気象 気候 衛星 | 天气 天氣 气候 氣候 卫星 | طقس مناخ
game play | 게임 | ゲーム | 游戏 遊戲 | ألعاب
priva confidential personal | 사생활 개인정보 프라이버시 | プライバシー | 隐私 隱私 | خصوصية
jailbreak harm attack adversar secur malicious safe | 탈옥 유해 악성 | 攻撃 有害 悪意 | 攻击 攻擊 越狱 有害 恶意 | هجوم هجمات ضار
danc choreo | 댄스 춤 | ダンス | 舞蹈 | رقص
student educat teach exam learner school | 학생 교육 | 学生 教育 | 学生 學生 教育 | طلاب تعليمية
quanti bit precision fp8 fp4 | 양자화 | 量子化 | 低比特 | تكميم
distill teacher | 증류 | 蒸留 | 蒸馏 蒸餾 | تقطير
token vocab | 토큰 | トークン | 词元 詞元 | رموز
context window | 문맥 | 文脈 | 上下文 | سياق
hallucinat factual | 환각 | 幻覚 ハルシネーション | 幻觉 幻覺 | هلوس
recommend user | 추천 | 推薦 | 推荐 推薦 | توصيات
physic simulat dynamics | 물리 시뮬레이 | 物理 シミュレー | 物理 仿真 模拟 模擬 | فيزيا محاكاة
trajector path motion rollout | 궤적 | 軌跡 | 轨迹 軌跡 | مسارات
emotion sentiment empath psycholog mental | 감정 심리 | 感情 心理 | 情感 情绪 心理 | عاطف مشاعر
legal law court | 법률 | 法律 | 法律 | قانوني
bias fair stereotyp | 편향 | 偏り バイアス | 偏见 偏見 | تحيز
device edge mobile phone deploy on-device | 기기 모바일 | 端末 モバイル エッジ | 边缘 邊緣 移动端 手机 | الأجهزة الهواتف
vot tournament pairwise | 투표 | 投票 | 投票 锦标赛 | تصويت
interpretab mechanis neuron circuit explain | 해석가능 뉴런 | 解釈可能 ニューロン | 可解释 可解釋 | عصبون
skill | 스킬 | スキル | 技能 | مهارات
quality-control annotat label pseudo | 주석 라벨 | 注釈 アノテーション ラベル | 标注 標註 | وسم
proof prove verif theorem | 증명 | 証明 | 验证 | إثبات
tool api function-call | 도구 | 道具 ツール | 工具 | أدوات
human person people crowd anthropo user | 사람 인간 | 人間 人手 | 人类 人類 人工 | البشر
instruct prompt command | 지시문 지침 | 指示文 指示 | 指令 | تعليمات
expert specialist professional moe specialis specializ | 전문가 | 専門家 | 专家 專家 | خبراء
loss normali regulari objective | 손실 | 損失 | 损失 損失 | الخسارة
reason think thought cot infer deduc logic | 추론 | 推論 | 推理 | استدلال
chunk segment split partition | 청크 | 小分け チャンク | 分块 分塊 | أجزاء
cost cheap expens price budget afford efficien | 비용 값싸 값싼 | 費用 安く 安価 高価 | 成本 廉价 | تكلفة
stab collaps converg | 안정 무너지 | 不安定 安定 崩壊 | 崩溃 崩潰 稳定 穩定 | استقرار مستقر
"""  # noqa: E501 — a row is a row

_ROWS = [[cell.split() for cell in line.split("|")] for line in _TABLE.strip().splitlines()]
_COLUMN = {"ko": 1, "ja": 2, "zh": 3, "yue": 3, "ar": 4}
_OF_SOURCE = [re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, row[0]))})") for row in _ROWS]


def subjects(text: str, language: str) -> frozenset[int]:
    """The subjects that a text in one of the known languages mentions; none where the language has no column."""
    column = _COLUMN.get(language.partition("-")[0].lower())
    if column is None:
        return frozenset()
    bare = "".join(text.split()) if column < 4 else " ".join(text.split())
    return frozenset(n for n, row in enumerate(_ROWS) if any(word in bare for word in row[column]))


def subjects_of(source: str) -> frozenset[int]:
    """The subjects that a paper in English has."""
    folded = source.lower()
    return frozenset(n for n, pattern in enumerate(_OF_SOURCE) if pattern.search(folded))
