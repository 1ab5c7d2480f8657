/// Damaged text for readers that must survive any bytes.
extension SeededGenerator {
    mutating func number(below limit: Int) -> Int { Int.random(in: 0..<max(limit, 1), using: &self) }

    /// Any bytes at all, with a liking for what JSON is made of.
    mutating func bytes() -> [UInt8] {
        let letters = Array("{}[]\",:\\u0123456789.eE+-tfn \n".utf8)
        return (0..<number(below: 80)).map { _ in
            number(below: 4) == 0 ? UInt8(number(below: 256)) : letters[number(below: letters.count)]
        }
    }

    /// `text` with some bytes changed, removed, repeated or cut off, or pieces of it replaced by values that are hard to take.
    mutating func damaged(_ text: [UInt8]) -> [UInt8] {
        let pieces = [
            "null", "true", "-1", "0", "1e999", "1e308", "-0.0", "1e-320", "9223372036854775807", "999999999.999999", "0.0000004",
            "\"\"", "\"\\ud800\"", "[]", "{}", "[[[[", "{\"\":", "\u{0}", ",", "\"", "\\", "NaN",
        ].map { Array($0.utf8) }
        var text = text
        for _ in 0...number(below: 3) {
            let place = number(below: text.count)
            let end = min(text.count, place + number(below: 12))
            switch number(below: 6) {
            case 0 where !text.isEmpty: text[place] = UInt8(number(below: 256))
            case 1: text.removeSubrange(min(place, end)..<end)
            case 2: text.insert(contentsOf: text[min(place, end)..<end], at: place)
            case 3: text.removeLast(text.count - place)
            default: text.replaceSubrange(min(place, end)..<end, with: pieces[number(below: pieces.count)])
            }
        }
        return text
    }
}
