"""The words that fill the slots of `grammar.py`, alternatives separated by `|`."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "person": "neighbour|sister|brother|boss|teacher|roommate|cousin|friend|coach|landlord|uncle|colleague|classmate",
    "name": "Ana|Ben|Carla|Dev|Elif|Farid|Grace|Hugo|Ines|Jonas|Kira|Leo|Mina|Noah|Olga|Pablo|Rosa|Sami|Tara|Yusuf",
    "dish": "lentil soup|apple pie|fried rice|tomato pasta|pancakes|vegetable curry|potato salad|flatbread|omelette",
    "base": "onions|carrots|potatoes|tomatoes|mushrooms|peppers|apples|beans|spinach|leeks|courgettes|lentils",
    "extra": "garlic|butter|cream|lemon juice|ginger|parsley|cinnamon|cheese|olive oil|honey|black pepper|basil",
    "city": "Lisbon|Kyoto|Oslo|Prague|Cusco|Dakar|Montreal|Naples|Seville|Hanoi|Quito|Riga|Tunis|Bergen|Porto|Ghent",
    "sight": "the old harbour|the city museum|the castle hill|the market hall|the botanical garden|the river walk",
    "meal": "grilled fish|noodle soup|a cheese plate|fresh bread and olives|dumplings|a bowl of stew|roast chestnuts",
    "device": "laptop|printer|phone|washing machine|bicycle light|radio|camera|dishwasher|heater|vacuum cleaner",
    "fault": "will not start|makes a loud noise|stops after a minute|shows an error|gets very hot|keeps beeping",
    "part": "the cable|the battery|the filter|the power switch|the fuse|the settings menu|the small red button",
    "skill": "the guitar|chess|Spanish|swimming|drawing|knitting|sign language|the piano|juggling|pottery|typing",
    "plant": "tomatoes|tulips|garlic|sunflowers|strawberries|lettuce|mint|pumpkins|roses|radishes|lavender",
    "month": "January|February|March|April|May|June|July|August|September|October|November|December",
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "gift": "a book of short stories|a warm scarf|a board game|a box of tea|a plant for the desk|a concert ticket",
    "event": "birthday|wedding|new job|graduation|house move|retirement|exam result|first marathon",
    "pet": "cat|dog|rabbit|parrot|hamster|goldfish|guinea pig|tortoise",
    "habit": "scratches the sofa|barks at night|will not eat|hides all day|bites the cables|runs away from guests",
    "exam": "history test|maths exam|driving test|biology quiz|chemistry paper|language exam|geography test",
    "object": "bicycle|wallet|umbrella|jacket|phone|lunch|headphones|garden tools|parcel|library book",
    "place": "office|school|train|shop|library|gym|hotel|cinema|garage|swimming pool|museum",
    "subject": "volcanoes|the moon|bees|glaciers|bridges|magnets|rainbows|tides|yeast|clouds|earthquakes|owls",
    "feeling": "angry|tired|upset|bored|jealous|stressed|annoyed|disappointed|nervous|lonely",
    "hobby": "long walks|cooking|old films|running|painting|card games|gardening|singing|photography|crosswords",
    "product": "the bleach|the drain cleaner|the oven spray|the glue|the paint thinner|the weed killer",
    "secret": "messages|diary|emails|photos|bank letters|search history|medical papers",
    "lie": "I was sick|the train broke down|my computer crashed|somebody stole it|I never got the letter",
    "small": "2|3|4|5|6|7|8|9",
    "minutes": "5|10|12|15|20|25|30|35|40|45",
    "open": "Good question.|Sure.|Happy to help.|Of course.|Gladly.|Yes, here is an idea.|That is easy to do.|",
    "close": "Let me know how it goes.|Enjoy!|Good luck!|Ask me if you get stuck.|Have fun!|Take your time.|",
    "decline": "I would rather not help with that.|I can't help with this one.|Please don't do that.|"
    "I understand, but that could hurt somebody.|I don't think that is a good idea.|That would not be fair.",
    "offer": "Would you like help to write a calm message instead?|We could look for a safer way together.|"
    "If you want, tell me what happened and we can plan a talk.|I can help you to find somebody to talk to.|"
    "A short walk first may help, and then we can think again.|There is a better way, and I will help with it.",
}

EXPLAIN: dict[str, str] = {
    "volcanoes": "hot rock rises, gas bubbles form and the pressure breaks the crust",
    "the moon": "the sun lights one half of it and we see that half from changing sides",
    "bees": "they collect nectar, dry it in the hive and keep it as honey for the winter",
    "glaciers": "snow piles up, turns to ice and slowly flows down under its own weight",
    "bridges": "arches and cables pass the load on to the ground at both ends",
    "magnets": "many tiny fields inside the metal point the same way and add up",
    "rainbows": "drops of water bend each colour of sunlight by a different angle",
    "tides": "the moon pulls the sea more on the near side than on the far side",
    "yeast": "it eats sugar and gives off gas, which makes the dough rise",
    "clouds": "warm air cools as it climbs and its vapour becomes small drops",
    "earthquakes": "two plates stick together for years and then slip in one moment",
    "owls": "soft feathers break up the air, so that their wings make almost no sound",
}
