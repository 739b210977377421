"""Short messages that nobody sent, made of sentences with gaps."""

from __future__ import annotations

import re

import numpy as np

#: What may stand in a gap.
WORDS = """
name: Alex|Mia|Tom|Nora|Jo|Ben|Ada|Sam|Lena|Max|Ivy|Leo|Emma|Finn|Zoe|Paul
time: six|half past eight|noon|ten|a quarter to nine|7.30|five|8 pm|midnight|3
day: Monday|Tuesday|tonight|tomorrow|Friday|Saturday|Sunday|today
place: the station|my place|the office|the gym|school|the cinema|the bus stop|town|the library
thing: the keys|my charger|the tickets|your umbrella|the report|some milk|my jacket|the photos
food: pizza|soup|curry|pasta|leftovers|a cake|salad|noodles
why: the train is late|I am stuck in a meeting|I overslept|the little one is ill|traffic is awful
prize: a new phone|a holiday for two|500 in cash|a gift card|a smart watch|two concert tickets
sum: 50|100|250|500|750|1,000|2,000|5,000
code: WIN4|GOLD77|A113|LUCKY|CASH8|PLAY21|VIP9|TOP3
shop: MegaMart|PhoneWorld|QuickLoan|CasinoClub|DealHub|SlimNow|DateLine|PostFast
site: win.example|claim-now.example|pay.example|deals.example|verify.example
number: 0900 111 22|82277|0800 555 01|69200|0906 170 14|87121
"""

HAM = """
See you at {time} at {place}
Running late, {why}. Start without me
Can you bring {thing} {day}?
Did you find {thing}? I think I left it at {place}
Happy birthday {name}! Hope you have a lovely day
Sorry, {why}. Can we do {day} instead?
What time does the film start {day}? {name} wants to come too
Just landed, waiting for my bag. Home by {time}
I made {food}, there is some left if you are hungry
{name} says hi. We are at {place}, come over!
Call me when you are free, nothing urgent
Could you pick up {name} at {time}? {why}
Thanks for {food} yesterday, it was great
Are we still on for {day}? {place} at {time}?
No problem, take your time
Haha yes, {name} told me the same thing
Ok, talk to you {day}
Meeting moved to {time}, same room. Please bring {thing}
I will be at {place} until {time}, then home
Good luck with the exam {day}! You will be fine
Can't talk now, {why}. Will ring you at {time}
We won the match! {name} scored twice
Free {day}? Was thinking of {food} at {place}
Your parcel is with {name} next door, you can fetch it after {time}
Claimed the money back for the trip, should be in your account by {day}
The doctor can see you {day} at {time}, tell them if that does not suit
Don't forget: {name}'s party {day}. I got a prize for the raffle
Lost my phone, this is my new number. {name}
Please pay {name} back the 50 for {thing} when you see her
Dinner is ready at {time}, {food}
Is {thing} yours? It lies on my desk
On my way, ten minutes
Love you too, sleep well
Did you call the bank about the card? They close at {time}
The dentist rang: your appointment is {day} at {time}
Could you text me the address of {place} again?
{name} got the job!!! Drinks {day}?
Back at {place}. Where did you put {thing}?
Missed your call, was in the shower. What's up?
Train gets in at {time}, shall I walk or can you fetch me?
"""

SPAM = """
WINNER! You have won {prize}. Call {number} now to claim
Congratulations! Your number was drawn for {prize}. Reply {code} to {number}
URGENT: your account is on hold. Confirm your details at {site}
{shop}: borrow up to {sum} today, no questions asked. Apply at {site}
FREE entry! Text {code} to {number} to win {prize}. 18+ only
Last chance to claim {prize}! Go to {site} before {day}
Your parcel could not be delivered. Pay 1.99 at {site} to have it sent again
Hot singles near you want to chat! Text {code} to {number}
You are owed {sum} from your accident. Reply CLAIM to {number}, STOP to end
{shop} gives you {sum} in bonus play. Join at {site}, code {code}
Lose 5 kilos in a week with {shop}! Order now at {site}, half price until {day}
Your phone has a virus! Install the cleaner from {site} at once
Dear customer, you are pre-approved for {sum}. Call {number} before {day}
{name}, you have 1 new voice message. Listen at {number}, calls cost 1.50 a minute
Get {prize} when you change to {shop}. Text YES to {number}
Tax refund of {sum} pending. Submit your card details at {site}
Reminder: your chance of {prize} ends {day}. Txt {code} to {number} now
{shop} member prices: up to 80 percent off. Only {day}, only at {site}
Hi, is this {name}? I am new in town and saw your profile on {site}
Earn {sum} a week from home! No experience. Details: {site} code {code}
Your subscription to {shop} was renewed for {sum}. Not you? Cancel at {site}
Final notice: unpaid toll. Settle at {site} by {day} to avoid a fine of {sum}
"""

#: What both could be, so that nobody is right about all of them.
EITHER = """
Call {number} when you get this
Your parcel is waiting, details at {site}
Have you seen this? {site}
You owe {name} {sum}, please settle by {day}
Text me back, it is about {prize}
I can get you {prize}, interested?
Your appointment is {day} at {time}. Not you? Call {number}
New offer from {shop}, thought of you. {name}
Is this still your number? {name}
Reply YES if you come {day}
"""
#: Shares of the messages: those that could be both, and those with a harmless sentence beside.
DOUBTFUL, MIXED = 0.08, 0.35

_GAP = re.compile(r"\{(\w+)\}")


def made_up(n: int, spam: float, seed: int) -> tuple[list[str], list[str]]:
    """Return n different messages, and of each whether it is "ham" or "spam"."""
    rng = np.random.default_rng(seed)
    words = {gap: some.split("|") for gap, some in (line.split(": ") for line in _lines(WORDS))}
    kinds = {"ham": _lines(HAM), "spam": _lines(SPAM)}
    either, opening = _lines(EITHER), _lines(HAM)
    texts: dict[str, str] = {}
    while len(texts) < n:
        kind = "spam" if rng.random() < spam else "ham"
        chosen = either if rng.random() < DOUBTFUL else kinds[kind]
        sentences = [chosen[rng.integers(len(chosen))]]
        if rng.random() < MIXED:
            sentences.insert(int(rng.integers(2)), opening[rng.integers(len(opening))])
        text = _GAP.sub(lambda gap: str(rng.choice(words[gap[1]])), ". ".join(sentences))
        # As people type: some all in small letters, some with an ending.
        text = text.lower() if rng.random() < 0.25 else text
        texts.setdefault(text + str(rng.choice(["", "", ".", "!", " x", " :)"])), kind)
    return list(texts), list(texts.values())


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()
