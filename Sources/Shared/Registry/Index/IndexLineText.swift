/// Changes in the text of an index line that leave every other byte as it is, fields that nobody here knows included.
package enum IndexLineText {
    /// - Parameter line: a JSON object, as it was once read.
    /// - Returns: the line with its own `yanked`, wherever it stands; it is added at the end if the line has none.
    package static func with(yanked: Bool, _ line: String) -> String {
        var scan = Scan(Array(line.utf8))
        let word = Array((yanked ? "true" : "false").utf8)
        let (bytes, value, end) = scan.find("yanked")
        if let value {
            return String(decoding: bytes[..<value.lowerBound] + word + bytes[value.upperBound...], as: UTF8.self)
        }
        let member = Array(#","yanked":"#.utf8) + word
        return String(decoding: bytes[..<end] + member + bytes[end...], as: UTF8.self)
    }

    /// Walks over the members of the outer object.
    private struct Scan {
        private let bytes: [UInt8]
        private var place = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        /// - Returns: where the key's value lies, and where the object's closing brace does.
        mutating func find(_ key: StaticString) -> (bytes: [UInt8], value: Range<Int>?, end: Int) {
            let wanted = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
            var depth = 0
            var found: Range<Int>?
            while place < bytes.count {
                switch bytes[place] {
                case UInt8(ascii: "\""):
                    let text = string()
                    guard depth == 1, bytes[text].elementsEqual(wanted), let value = valueBehindColon() else {
                        continue
                    }
                    found = value
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return (bytes, found, place) }
                default: break
                }
                place += 1
            }
            return (bytes, found, bytes.count)
        }

        /// - Returns: what stands between the quotes; the place is behind them.
        private mutating func string() -> Range<Int> {
            let start = place + 1
            place = start
            while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
                place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
            }
            let end = min(place, bytes.count)
            place = end + 1
            return start..<end
        }

        /// - Returns: the word behind the colon; nil if the string was no key.
        private mutating func valueBehindColon() -> Range<Int>? {
            skipSpace()
            guard place < bytes.count, bytes[place] == UInt8(ascii: ":") else { return nil }
            place += 1
            skipSpace()
            let start = place
            while place < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[place]) { place += 1 }
            return start..<place
        }

        private mutating func skipSpace() {
            while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        }
    }
}
