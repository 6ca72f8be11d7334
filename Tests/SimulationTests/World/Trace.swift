/// The last things that happened, kept as numbers and made readable only when a rule was broken.
struct Trace {
    struct Note {
        let at: Int
        let who: String
        let what: StaticString
        /// -1 for what concerns no single key.
        let key: Int
        let numbers: (UInt64, UInt64)
    }

    private static let notesMax = 4096
    private var notes: [Note] = []
    private var oldest = 0
    /// Of everything noted so far; equal for two runs only if they were equal.
    private(set) var digest: UInt64 = 14_695_981_039_346_656_037

    mutating func note(
        _ at: Int, _ who: String, _ what: StaticString, key: Int, _ first: UInt64, _ second: UInt64
    ) {
        for part in [UInt64(at), UInt64(bitPattern: Int64(key)), first, second] {
            digest = (digest ^ part) &* 1_099_511_628_211
        }
        let note = Note(at: at, who: who, what: what, key: key, numbers: (first, second))
        if notes.count < Self.notesMax {
            notes.append(note)
        } else {
            notes[oldest] = note
            oldest = (oldest + 1) % Self.notesMax
        }
    }

    /// The last `count` lines that concern the key, the place or everybody.
    func lines(key: Int, who: String, count: Int, keys: Cast) -> [String] {
        let ordered = notes[oldest...] + notes[..<oldest]
        return ordered.filter { note in
            (note.key == key || note.key < 0) && (note.who == who || note.who.first != who.first)
        }.suffix(count).map { note in
            let name = note.key < 0 ? "" : " \(keys[note.key])"
            return "\(Self.seconds(note.at)) \(note.who) \(note.what)\(name) \(note.numbers.0) \(note.numbers.1)"
        }
    }

    static func seconds(_ time: Int) -> String {
        let micros = String(1_000_000 + time % 1_000_000).dropFirst()
        return "\(time / 1_000_000).\(micros)s"
    }
}
