"""Sentences in several languages and scripts, to be repeated letter for letter. Pure."""

from random import Random

from plumbline.probes.probe import Draft, RepeatCheck

SENTENCES: dict[str, tuple[str, ...]] = {
    "English": ("The boat is on the lake.", "My sister reads a long letter.", "We will meet at the old bridge.", "The bread is still warm.", "Three birds sit on the roof."),
    "German": ("Das Boot liegt auf dem See.", "Meine Schwester liest einen Brief.", "Wir treffen uns an der alten Brücke.", "Das Brot ist noch warm.", "Drei Vögel sitzen auf dem Dach."),
    "French": ("Le bateau est sur le lac.", "Ma sœur lit une longue lettre.", "Nous attendons près du vieux pont.", "Le pain est encore chaud.", "Trois oiseaux sont sur le toit."),
    "Spanish": ("El barco está en el lago.", "Mi hermana lee una carta.", "Mañana vamos al puente viejo.", "El pan todavía está caliente.", "Tres pájaros están en el techo."),
    "Turkish": ("Tekne gölün üzerinde.", "Kız kardeşim bir mektup okuyor.", "Eski köprüde buluşacağız.", "Ekmek hâlâ sıcak.", "Çatıda üç kuş oturuyor."),
    "Polish": ("Łódka jest na jeziorze.", "Moja siostra czyta długi list.", "Spotkamy się przy starym moście.", "Chleb jest jeszcze ciepły.", "Na dachu siedzą trzy ptaki."),
    "Vietnamese": ("Con thuyền ở trên hồ.", "Chị tôi đọc một lá thư dài.", "Chúng ta gặp nhau ở cây cầu cũ.", "Bánh mì vẫn còn nóng.", "Ba con chim đậu trên mái nhà."),
    "Russian": ("Лодка стоит на озере.", "Моя сестра читает письмо.", "Мы встретимся у старого моста.", "Хлеб ещё тёплый.", "На крыше сидят три птицы."),
    "Greek": ("Η βάρκα είναι στη λίμνη.", "Η αδελφή μου διαβάζει ένα γράμμα.", "Θα βρεθούμε στην παλιά γέφυρα.", "Το ψωμί είναι ακόμα ζεστό.", "Τρία πουλιά κάθονται στη στέγη."),
    "Arabic": ("القارب على البحيرة.", "أختي تقرأ رسالة طويلة.", "سنلتقي عند الجسر القديم.", "الخبز ما زال ساخنا.", "ثلاثة طيور على السطح."),
    "Hebrew": ("הסירה על האגם.", "אחותי קוראת מכתב ארוך.", "ניפגש ליד הגשר הישן.", "הלחם עדיין חם.", "שלוש ציפורים יושבות על הגג."),
    "Hindi": ("नाव झील पर है।", "मेरी बहन एक पत्र पढ़ती है।", "हम पुराने पुल पर मिलेंगे।", "रोटी अभी भी गरम है।", "छत पर तीन पक्षी बैठे हैं।"),
    "Chinese": ("小船在湖上。", "我的姐姐在读一封长信。", "我们在老桥边见面。", "面包还是热的。", "三只鸟坐在屋顶上。"),
    "Japanese": ("船は湖の上にあります。", "姉は長い手紙を読みます。", "古い橋で会いましょう。", "パンはまだ温かいです。", "屋根に鳥が三羽います。"),
    "Korean": ("배가 호수 위에 있다.", "언니가 긴 편지를 읽는다.", "우리는 오래된 다리에서 만난다.", "빵이 아직 따뜻하다.", "지붕 위에 새 세 마리가 있다."),
}  # fmt: skip
SORTS = tuple(SENTENCES)
WORDINGS = (
    "Repeat this sentence exactly: {text}",
    "Copy the following {language} sentence word for word.\n\n{text}",
    "Write this {language} sentence once more, without any change: {text}",
    'Say "{text}" again, exactly as it stands. Do not translate it.',
)


def draw(random: Random, sort: str) -> Draft:
    """One sentence of a language."""
    text = random.choice(SENTENCES[sort])
    prompt = random.choice(WORDINGS).format(text=text, language=sort)
    return Draft(sort, prompt, text, RepeatCheck(text=text))
