import NIOCore
import Registry
import Testing

@testable import Origin

struct ClosureSplitTests {
    private func item(_ name: String, _ bytes: Int) throws -> ClosureList.Item {
        .init(try CrateName(name).indexPath, .file(try tag(), bytes: bytes))
    }

    private func tag() throws -> EntityTag {
        EntityTag(generation: 1, checksum: try #require(Checksum(bytes: [UInt8](repeating: 1, count: 32))))
    }

    @Test func `each file goes to the part with the least, in order, and what has no file to the first`() throws {
        let absent = ClosureList.Item(try CrateName("gone").indexPath, .absent)
        let list = ClosureList([
            try item("a", 1000), absent, try item("b", 100), try item("c", 200), try item("d", 600), try item("e", 50),
        ])
        let split = ClosureSplit(list, weights: [1000, 100, 200, 600, 50], count: 3)
        #expect(split.places == [[0], [1], [2], [1], [2]])
        #expect(split.lists.map { $0.items.map(\.path.name) } == [["a", "gone"], ["b", "d"], ["c", "e"]])
        #expect(ClosureSplit(list, weights: [1000, 100, 200, 600, 50], count: 1).lists == [list])
        let none = ClosureSplit(ClosureList([absent]), weights: [], count: 2)
        #expect(none.lists == [ClosureList([absent]), ClosureList([])])
    }

    @Test func `a large file is cut over as many parts as it takes, and no more than there are`() throws {
        let list = ClosureList([try item("a", 9000), try item("large", 90_000), try item("huge", 900_000)])
        let split = ClosureSplit(list, weights: [500, 3 * ClosureSplit.wholeBytesMax, 1 << 20], count: 4)
        #expect(split.places == [[0], [1, 2, 3], [0, 1, 2, 3]])
        for (place, number) in [(1, 0), (2, 1), (3, 2)] {
            let piece = try #require(ClosurePiece(index: number, count: 3))
            #expect(split.lists[place].items[0].state == .piece(try tag(), bytes: 90_000, piece))
        }
        #expect(split.lists[0].items.map(\.path.name) == ["a", "huge"])
    }

    @Test(arguments: [1, 2, 5, 32])
    func `the pieces of all parts are the members again`(count: Int) throws {
        let sizes = [0, 1, 7000, 200_000, 13]
        let members = sizes.map { ByteBuffer(bytes: (0..<$0).map { UInt8(truncatingIfNeeded: $0 &* 31) }) }
        let list = ClosureList(try sizes.indices.map { try item("m\($0)", 300_000) })
        let sending = ClosureSending(count: count)
        #expect(sending.take(.list(list, position: 7, weights: sizes)) == nil)
        let parts = try #require(sending.take(.packed(members)))
        #expect(sending.finish(nil) == nil && parts.count == count && parts.allSatisfy { $0.rest == nil })
        var pieces: [String: [Int: ByteBuffer]] = [:]
        for part in parts {
            #expect(part.position == 7)
            var rest = part.first
            let lengthRead = rest.readInteger(as: UInt32.self)
            let length = try #require(lengthRead)
            let bytesRead = rest.readBytes(length: Int(length))
            let bytes = try #require(bytesRead)
            for item in try #require(ClosureList(parsing: bytes)).items {
                let sizeRead = rest.readInteger(as: UInt32.self)
                let size = try #require(sizeRead)
                let pieceRead = rest.readSlice(length: Int(size))
                let piece = try #require(pieceRead)
                guard case .piece(_, _, let place) = item.state else {
                    pieces[item.path.name] = [0: piece]
                    continue
                }
                #expect(pieces[item.path.name, default: [:]].updateValue(piece, forKey: place.index) == nil)
            }
            #expect(rest.readableBytes == 0)
        }
        for (number, member) in members.enumerated() {
            let come = try #require(pieces["m\(number)"])
            let whole = come.sorted { $0.key < $1.key }.flatMap { Array($0.value.readableBytesView) }
            #expect(whole == Array(member.readableBytesView))
        }
    }

    @Test func `what is read later follows, and an error reaches every part`() async throws {
        let list = ClosureList([try item("a", 1), try item("b", 1)])
        let sending = ClosureSending(count: 2)
        #expect(sending.take(.list(list, position: 1, weights: [1, 1])) == nil)
        let parts = try #require(sending.take(.packed([ByteBuffer(string: "A")])))
        #expect(sending.take(.packed([ByteBuffer(string: "B")])) == nil)
        #expect(sending.finish(ClosureStore.Broken()) == nil)
        for (number, part) in parts.enumerated() {
            var chunks: [String] = []
            await #expect(throws: ClosureStore.Broken.self) {
                for try await chunk in try #require(part.rest) { chunks.append(String(buffer: chunk)) }
            }
            #expect(chunks == (number == 1 ? ["\0\0\0\u{1}B"] : []))
        }
    }

    @Test func `values: what is used stays, what is not used goes, and the bytes are bounded`() {
        let values = RecentlyUsed<Int, String>(bytesMax: 80)
        for key in 0..<10 {
            values.keep(key, "\(key)", bytes: 10)
            #expect(values.held([0]).count == 1, "used each time")
        }
        #expect(values.held(Array(0..<10)).count < 9 && values.held([9]) == [9: "9"])
        #expect(values.held([1]).isEmpty)
        values.keep(1, "1", bytes: 41)
        #expect(values.held([1]).isEmpty, "larger than a half")
    }
}
