import Registry
import Testing

struct ClosureWireTests {
    private func path(_ name: String) throws -> IndexPath { try CrateName(name).indexPath }

    private func tag(_ generation: UInt64) throws -> EntityTag {
        EntityTag(
            generation: generation,
            checksum: try #require(
                Checksum(bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: generation), count: 32))))
    }

    @Test func `reading undoes writing`() throws {
        let held =
            try ["serde", "a", "b_c-d"].map { HeldMark(try path($0), try tag(7)) } + [HeldMark(try path("no"), nil)]
        let question = ClosureQuestion(roots: [try path("tokio"), try path("a")], held: held)
        #expect(ClosureQuestion(parsing: question.bytes) == question)
        let list = ClosureList([
            .init(try path("tokio"), .file(try tag(3), bytes: 70_000)), .init(try path("a"), .absent),
            .init(try path("serde"), .same(try tag(UInt64.max))),
        ])
        #expect(ClosureList(parsing: Array(list.bytes.dropFirst(4))) == list)
        #expect(ClosureList(parsing: []) == ClosureList([]))
    }

    @Test func `a longest question is within its limit`() throws {
        let names = try (0..<300).map { number in
            try path(String(repeating: "x", count: CrateName.bytesMax - 3) + String(number + 100))
        }
        let question = ClosureQuestion(
            roots: names, held: Array(repeating: HeldMark(names[0], nil), count: ClosureQuestion.heldMax + 1))
        #expect(question.roots.count == ClosureQuestion.rootsMax && question.held.count == ClosureQuestion.heldMax)
        #expect(question.bytes.count == ClosureQuestion.bytesMax)
        #expect(ClosureQuestion(parsing: question.bytes) == question)
    }

    @Test(
        arguments: [
            [], [0], [0, 0], [0, 0, 0, 0], [0, 1, 1, 0x61], [0, 1, 1, 0x61, 0, 1], [0, 1, 1, 0x61, 0, 0, 0],
            [0, 1, 1, 0x41, 0, 0], [0, 1, 0, 0, 0], [0, 1, 2, 0x61, 0xFF, 0, 0], [0, 2, 1, 0x61, 0, 0],
            [1, 1, 1, 0x61, 0, 0],
            [0, 1, 1, 0x61, 12, 1],
        ] as [[UInt8]])
    func `what no edge would write is no question`(bytes: [UInt8]) {
        #expect(ClosureQuestion(parsing: bytes) == nil)
    }

    @Test func `what no origin would write is no list`() throws {
        let file = ClosureList([.init(try path("a"), .file(try tag(3), bytes: 5))]).bytes.dropFirst(4)
        #expect(ClosureList(parsing: Array(file)) != nil)
        for length in 1..<file.count { #expect(ClosureList(parsing: Array(file.prefix(length))) == nil, "\(length)") }
        #expect(ClosureList(parsing: Array(file + file)) == nil, "a name twice")
        #expect(ClosureList(parsing: [1, 0x61, 3]) == nil, "an unknown state")
        let tooMuch = try ["a", "b"].map { ClosureList.Item(try path($0), .file(try tag(1), bytes: 40 << 20)) }
        #expect(ClosureList(parsing: Array(ClosureList(tooMuch).bytes.dropFirst(4))) == nil, "too many bytes")
    }

    // Random damage: either it is refused, or what was read writes the same bytes.
    @Test(arguments: 1...200)
    func `whatever is read would have been written so`(seed: Int) throws {
        var generator = SystemRandomNumberGenerator()
        var bytes = Array(
            ClosureList([
                .init(try path("tokio"), .file(try tag(3), bytes: 70_000)), .init(try path("a"), .absent),
                .init(try path("serde"), .same(try tag(9))),
            ]).bytes.dropFirst(4))
        for _ in 0..<3 {
            bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
        }
        guard let list = ClosureList(parsing: bytes) else { return }
        #expect(Array(list.bytes.dropFirst(4)) == bytes)
    }

    @Test func `a mark depends on name, generation and content`() throws {
        let marks = Set([
            HeldMark(try path("a"), try tag(1)), HeldMark(try path("b"), try tag(1)),
            HeldMark(try path("a"), try tag(2)),
            HeldMark(try path("a"), nil),
        ])
        #expect(marks.count == 4)
        #expect(HeldMark(try path("a"), try tag(1)) == HeldMark(try path("a"), try tag(1)))
    }

    @Test func `a part is read as it is written`() {
        let part = ClosurePart(question: 0x9F, index: 3, count: 16)
        #expect("\(part)" == "3/16 000000000000009f" && ClosurePart(parsing: "\(part)") == part)
        let last = ClosurePart(question: .max, index: 31, count: 32)
        #expect(ClosurePart(parsing: "\(last)") == last)
    }

    @Test(arguments: [
        "", "3/16", "16/16 000000000000009f", "0/0 000000000000009f", "0/33 000000000000009f", "-1/2 000000000000009f",
        "3/16 9f", "3/16 000000000000009F", "03/16 000000000000009f", "3/16  000000000000009f",
        "3/16 000000000000009f ",
        "+3/16 000000000000009f", "1/2/3 000000000000009f", "3/16 00000000000000009f",
    ])
    func `what no edge would write is no part`(text: String) { #expect(ClosurePart(parsing: text) == nil) }

    @Test func `a piece is read as it is written, and what is no piece is refused`() throws {
        let piece = try #require(ClosurePiece(index: 2, count: 3))
        let list = ClosureList([.init(try path("a"), .piece(try tag(1), bytes: 100, piece))])
        #expect(ClosureList(parsing: Array(list.bytes.dropFirst(4))) == list && list.fileBytes == 33)
        for (index, count) in [(0, 0), (0, 1), (3, 3), (0, 33)] {
            #expect(ClosurePiece(index: index, count: count) == nil)
            let bytes = list.bytes.dropFirst(4).dropLast(2) + [UInt8(index), UInt8(count)]
            #expect(ClosureList(parsing: Array(bytes)) == nil)
        }
        #expect(ClosureList(parsing: Array(list.bytes.dropFirst(4).dropLast())) == nil)
        let ranges = (0..<3).compactMap { ClosurePiece(index: $0, count: 3)?.range(of: 100) }
        #expect(ranges == [0..<33, 33..<66, 66..<100])
    }
}
