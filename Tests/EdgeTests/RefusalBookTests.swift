import EdgeHTTP
import NIOCore
import Registry
import Testing

@testable import Edge

struct RefusalBookTests {
    private func key(_ address: String, _ rule: String = "no-token") throws -> RefusalBook.Key {
        let refused = RefusedAccess(
            rule: rule, reader: .nobody, repository: try RepositoryName("main"), reason: "because")
        return RefusalBook.Key(refused, from: EdgePeer(try SocketAddress(ipAddress: address, port: 1)))
    }

    private func note(_ key: RefusalBook.Key, at now: Int, in book: inout RefusalBook) {
        book.note(key, at: now) { .init(request: "\(now)", path: "GET /x", reason: "because") }
    }

    @Test func `the same thing is one line with a count, and the first of it as an example`() throws {
        var book = RefusalBook()
        for now in 100..<1100 { note(try key("192.0.2.7"), at: now, in: &book) }
        let taken = book.take(turns: false)
        let refusal = try #require(taken.first?.refusal)
        #expect(taken.count == 1 && refusal.count == 1000 && refusal.first == 100 && refusal.last == 1099)
        #expect(refusal.request == "100" && refusal.path == "GET /x" && refusal.reason == "because")
        #expect(refusal.address == "192.0.2.7" && refusal.repository == "main" && refusal.rule == "no-token")
        #expect(refusal.subject == nil && refusal.sha256 == nil && refusal.crate == nil)
        #expect(book.take(turns: false).isEmpty)
    }

    @Test func `a page knows its lines until it is turned`() throws {
        var book = RefusalBook()
        note(try key("192.0.2.1"), at: 1, in: &book)
        note(try key("192.0.2.2"), at: 2, in: &book)
        #expect(book.take(turns: false).map(\.place) == [0, 1])
        note(try key("192.0.2.2"), at: 3, in: &book)
        let news = book.take(turns: false)
        #expect(news.map(\.place) == [1] && news.map(\.refusal.count) == [1] && news.map(\.refusal.first) == [3])
        note(try key("192.0.2.2"), at: 4, in: &book)
        #expect(book.take(turns: true).map(\.place) == [1] && book.page == 1)
        note(try key("192.0.2.2"), at: 5, in: &book)
        #expect(book.take(turns: false).map(\.place) == [0])
    }

    @Test func `I9: an address has so many lines of a page at most, and all together so many`() throws {
        var book = RefusalBook()
        for number in 0..<10_000 { note(try key("192.0.2.1", "rule-\(number)"), at: 1, in: &book) }
        note(try key("192.0.2.2"), at: 1, in: &book)
        var taken = book.take(turns: false)
        #expect(taken.count == RefusalBook.linesPerPeerMax + 2)
        #expect(taken.reduce(0) { $0 + $1.refusal.count } == 10_001)
        // Somebody else's line is not pushed out by them.
        #expect(taken.contains { $0.refusal.address == "192.0.2.2" })
        // Taking news out makes no room.
        for number in 0..<10_000 { note(try key("192.0.2.1", "other-\(number)"), at: 2, in: &book) }
        taken = book.take(turns: true)
        #expect(taken.map(\.refusal.rule) == ["over-the-limit"] && taken.first?.refusal.count == 10_000)

        for number in 0..<10_000 { note(try key("10.0.\(number / 256).\(number % 256)"), at: 3, in: &book) }
        taken = book.take(turns: true)
        #expect(taken.count == RefusalBook.linesMax + 1)
        #expect(taken.reduce(0) { $0 + $1.refusal.count } == 10_000)
        let rest = taken.first { $0.refusal.rule == "over-the-limit" }
        #expect(rest?.refusal.address == nil && rest?.refusal.path == nil)
    }

    @Test func `what could not be saved is noted again within the same limits`() throws {
        var book = RefusalBook()
        for number in 0..<100 { note(try key("192.0.2.\(number)"), at: 50, in: &book) }
        let taken = book.take(turns: true)
        for number in 100..<200 { note(try key("192.0.2.\(number)"), at: 60, in: &book) }
        book.putBack(taken)
        let again = book.take(turns: true)
        #expect(again.count == RefusalBook.linesMax + 1)
        #expect(again.reduce(0) { $0 + $1.refusal.count } == 200)

        note(try key("192.0.2.1"), at: 70, in: &book)
        let first = book.take(turns: true)
        note(try key("192.0.2.1"), at: 80, in: &book)
        book.putBack(first)
        let both = book.take(turns: false)
        #expect(both.map(\.refusal.count) == [2])
        #expect(both.first?.refusal.first == 70 && both.first?.refusal.last == 80)
        // A line that is not there any more comes back with its example.
        book.putBack(first + [])
        _ = book.take(turns: true)
        book.putBack(first)
        #expect(book.take(turns: false).first?.refusal == first.first?.refusal)
    }
}
