import Registry
import Testing

@testable import Origin

struct AccessBookTests {
    private func event(_ address: String, _ rule: String = "no-token", at: Int = 100) -> AccessBook.Event {
        .init(
            key: .init(action: "access.refused", actor: "no token", rule: rule, address: address), at: at,
            request: "r\(at)", path: "GET /x", reason: "because")
    }

    @Test func `the same thing is one line with a count, and the first of it as an example`() {
        var book = AccessBook()
        for at in 100..<1100 { book.note(event("10.0.0.1", at: at)) }
        let taken = book.take()
        #expect(taken.count == 1)
        #expect(
            taken.first?.sum
                == .init(count: 1000, first: 100, last: 1099, request: "r100", path: "GET /x", reason: "because"))
        #expect(book.isEmpty)
    }

    @Test func `one address has so many lines at most, and all together so many`() {
        var book = AccessBook()
        for number in 0..<10_000 { book.note(event("10.0.0.1", "rule-\(number)")) }
        book.note(event("10.0.0.2"))
        var taken = book.take()
        #expect(taken.count == AccessBook.keysPerAddressMax + 2)
        #expect(taken.reduce(0) { $0 + $1.sum.count } == 10_001)
        // Somebody else's line is not pushed out by them.
        #expect(taken.contains { $0.key.address == "10.0.0.2" })

        for number in 0..<10_000 { book.note(event("10.0.\(number / 256).\(number % 256)")) }
        taken = book.take()
        #expect(taken.count == AccessBook.keysMax + 1)
        #expect(taken.reduce(0) { $0 + $1.sum.count } == 10_000)
        let rest = taken.first { $0.key.actor == "many others" }
        #expect(rest?.key.rule == "over-the-limit" && rest?.sum.path == nil)
    }

    @Test func `no flood of refusals hides who logged in, and logins have an end of their own`() {
        var book = AccessBook()
        for number in 0..<1000 { book.note(event("10.0.\(number / 256).\(number % 256)")) }
        for number in 0..<1000 {
            book.note(.init(key: .init(action: "login", actor: "user\(number)", edge: "eu"), at: 100))
        }
        let logins = book.take().filter { $0.key.action == "login" }
        #expect(logins.count { $0.key.actor.hasPrefix("user") } == AccessBook.loginsMax)
        #expect(logins.count == AccessBook.loginsMax + 1)
        #expect(logins.reduce(0) { $0 + $1.sum.count } == 1000)
    }

    @Test func `what could not be recorded is noted again within the same limits`() {
        var book = AccessBook()
        for number in 0..<100 { book.note(event("10.0.0.\(number)", at: 50)) }
        let taken = book.take()
        for number in 200..<300 { book.note(event("10.0.0.\(number)", at: 60)) }
        book.putBack(taken)
        let again = book.take()
        #expect(again.count == AccessBook.keysMax + 1)
        #expect(again.reduce(0) { $0 + $1.sum.count } == 200)
    }
}
