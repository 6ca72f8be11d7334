import Testing

@testable import EdgeHTTP

/// What is known of the request before must never read a head in another way than the scanner does.
struct HTTP1HabitTests {
    private struct Seen: Equatable {
        let path: String
        let tag: String?
        let acceptsGzip: Bool
        let bytes: Int
    }

    private static let lines = [
        "GET /a/b HTTP/1.1\r\n", "GET /a/b?c HTTP/1.1\r\n", "GET /longer/path HTTP/1.1\r\n",
        "GET http://a/b HTTP/1.1\r\n",
        "GET /a HTTP/1.0\r\n", "HEAD /a HTTP/1.1\r\n", "\r\nGET /a HTTP/1.1\r\n", "GET /a HTTP/1.1\n",
        "GET /a\r HTTP/1.1\r\n",
    ]
    private static let fields = [
        "host: a\r\n\r\n",
        "Host: a\r\nAccept-Encoding: gzip\r\n\r\n",
        "host: a\r\nif-none-match: \"1\"\r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match: \"2-longer\"\r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match: \"1\" \r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match:\r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match: \"1\r\"\r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match: \"1\n\"\r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match: \"1\u{1}\"\r\naccept: b\r\n\r\n",
        "host: a\r\nif-none-match: \"1\"\r\nif-none-match: \"2\"\r\naccept: b\r\n\r\n",
        "host: a\r\naccept-encoding: gzip\r\nif-none-match: W/\"1\"\r\n\r\n",
        "host: a\r\nauthorization: b\r\n\r\n",
        "host: a\r\nconnection: close\r\n\r\n",
        "accept: b\r\n\r\n",
    ]
    private static let heads = lines.flatMap { line in fields.map { line + $0 } }

    @Test func `the same fields with another path and another tag are known`() throws {
        let plain = Self.habit(after: "GET /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        let next = "GET /other HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
        let seen = try #require(Self.known(next + "GET /", to: plain))
        #expect(seen == Seen(path: "/other", tag: nil, acceptsGzip: true, bytes: next.utf8.count))

        let tagged = Self.habit(after: "GET /a HTTP/1.1\r\nhost: a\r\nif-none-match: \"1\"\r\naccept: b\r\n\r\n")
        let second = "GET /b HTTP/1.1\r\nhost: a\r\nif-none-match: \"23\"\r\naccept: b\r\n\r\n"
        let other = try #require(Self.known(second, to: tagged))
        #expect(other == Seen(path: "/b", tag: "\"23\"", acceptsGzip: false, bytes: second.utf8.count))
    }

    @Test func `what is known is what would be read anew`() {
        for first in Self.heads {
            let habit = Self.habit(after: first)
            for second in Self.heads {
                guard let known = Self.known(second, to: habit) else { continue }
                #expect(known == Self.read(second), "\(first.debugDescription), then \(second.debugDescription)")
            }
        }
    }

    @Test func `one byte more, less or other than the known ones is read as it would be anew`() {
        for first in Self.fields.map({ "GET /a HTTP/1.1\r\n" + $0 }) {
            let habit = Self.habit(after: first)
            for place in first.utf8.indices {
                let before = String(first.utf8[..<place]) ?? ""
                let after = String(first.utf8[first.utf8.index(after: place)...]) ?? ""
                for second in ["\(before)", before + after]
                    + ["\r", "\n", " ", "x", "\"", ":"].map({ before + $0 + after })
                {
                    guard let known = Self.known(second, to: habit) else { continue }
                    #expect(known == Self.read(second), "\(first.debugDescription), then \(second.debugDescription)")
                }
            }
        }
    }

    @Test func `long fields and long tags are read each time`() {
        let long = String(repeating: "x", count: 1100)
        let fields = "host: a\r\naccept: \(long)\r\n\r\n"
        #expect(Self.read("GET /a HTTP/1.1\r\n" + fields) != nil)
        #expect(
            Self.known("GET /a HTTP/1.1\r\n" + fields, to: Self.habit(after: "GET /a HTTP/1.1\r\n" + fields)) == nil)
        let tagged = Self.habit(after: "GET /a HTTP/1.1\r\nhost: a\r\nif-none-match: \"1\"\r\n\r\n")
        let second = "GET /a HTTP/1.1\r\nhost: a\r\nif-none-match: \"\(long.prefix(300))\"\r\n\r\n"
        #expect(Self.read(second) != nil)
        #expect(Self.known(second, to: tagged) == nil)
    }

    private static func habit(after head: String) -> HTTP1Habit {
        var habit = HTTP1Habit()
        Array(head.utf8).withUnsafeBytes { bytes in
            var scanner = HTTP1Scanner()
            guard case .complete(let count) = scanner.scan(bytes), scanner.draft.glimpse(of: bytes) != nil else {
                return
            }
            habit.learn(UnsafeRawBufferPointer(rebasing: bytes[..<count]), scanner.draft)
        }
        return habit
    }

    private static func known(_ head: String, to habit: HTTP1Habit) -> Seen? {
        Array(head.utf8).withUnsafeBytes { bytes in
            habit.glimpse(of: bytes).map { seen($0.0, $0.count) }
        }
    }

    private static func read(_ head: String) -> Seen? {
        Array(head.utf8).withUnsafeBytes { bytes in
            var scanner = HTTP1Scanner()
            guard case .complete(let count) = scanner.scan(bytes) else { return nil }
            return scanner.draft.glimpse(of: bytes).map { seen($0, count) }
        }
    }

    private static func seen(_ glimpse: EdgeGlimpse, _ count: Int) -> Seen {
        Seen(
            path: String(decoding: glimpse.path, as: UTF8.self),
            tag: glimpse.ifNoneMatch.map { String(decoding: $0, as: UTF8.self) }, acceptsGzip: glimpse.acceptsGzip,
            bytes: count)
    }
}
