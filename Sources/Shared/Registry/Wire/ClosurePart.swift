/// One of the parts in which an edge asks for a closure: `3/16 9f3a00c2d1e4b587` in the header `longshore-closure-part`.
///
/// A connection that has sent nothing yet may send some 14 KB in its first round trip, and twice as much in each that
/// follows. So an edge asks the same question over several connections at once, and the origin sends another share of the
/// files over each. Each part is an answer of its own, a list and the files in it; together they are the closure.
///
/// | question                  | answer                                                                          |
/// |---------------------------|---------------------------------------------------------------------------------|
/// | without the header        | the list, then the files as they are: `ClosureList`                             |
/// | with it                   | the same header; the list, then each file or piece as 4 bytes, its packed length, and a gzip member or a part of one |
/// | with it, an older origin  | no such header, and the whole closure as it is                                  |
///
/// Source: docs/decisions/0007-closure-fill.md
package struct ClosurePart: Hashable, Sendable, CustomStringConvertible {
    /// More parts than this are no question.
    package static let countMax = 32

    /// The same in all parts of one question, another in each question of an edge.
    package let question: UInt64
    /// From 0.
    package let index: Int
    package let count: Int

    /// - Parameter count: 1 to `countMax`, more than `index`.
    package init(question: UInt64, index: Int, count: Int) {
        precondition((1...Self.countMax).contains(count) && (0..<count).contains(index), "a part of a whole")
        self.question = question
        self.index = index
        self.count = count
    }

    /// Reads what `description` writes.
    ///
    /// - Returns: nil for anything else.
    package init?(parsing text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        let numbers = words.first?.split(separator: "/", omittingEmptySubsequences: false).compactMap { Int($0) } ?? []
        guard words.count == 2, numbers.count == 2, let question = UInt64(words[1], radix: 16),
            (1...Self.countMax).contains(numbers[1]), (0..<numbers[1]).contains(numbers[0])
        else { return nil }
        self.init(question: question, index: numbers[0], count: numbers[1])
        guard description == text else { return nil }
    }

    package var description: String {
        let digits = String(question, radix: 16)
        return "\(index)/\(count) \(String(repeating: "0", count: 16 - digits.count))\(digits)"
    }
}

/// Which of several equal pieces of a gzip member: pieces of one file travel in different parts.
package struct ClosurePiece: Hashable, Sendable {
    /// From 0.
    package let index: Int
    /// At least 2, and no more than there can be parts.
    package let count: Int

    /// - Returns: nil for what is no piece.
    package init?(index: Int, count: Int) {
        guard (2...ClosurePart.countMax).contains(count), (0..<count).contains(index) else { return nil }
        self.index = index
        self.count = count
    }

    /// What of a member of so many bytes it is.
    package func range(of bytes: Int) -> Range<Int> { bytes * index / count..<bytes * (index + 1) / count }
}
