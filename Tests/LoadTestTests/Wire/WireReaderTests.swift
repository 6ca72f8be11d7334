import NIOCore
import Testing

@testable import LoadTest

struct WireReaderTests {
    /// What a reader told, with bodies put together however they were cut.
    private struct Told: Equatable {
        var statuses: [Int] = []
        var body = ""
        var ends: [Bool] = []
    }

    private func read(_ text: String, size: Int, isHead: Bool = false) throws -> Told {
        var (reader, input, told) = (HTTP1AnswerReader(), ByteBuffer(), Told())
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            input.writeBytes(bytes[start..<min(start + size, bytes.count)])
            while true {
                let step = try reader.next(&input, isHead: isHead) { _ in
                } field: { _, _ in
                }
                if case .needsMore = step { break }
                switch step {
                case .head(let status): told.statuses.append(status)
                case .bytes(let count): told.body += input.readString(length: count) ?? ""
                case .end(let keepsAlive): told.ends.append(keepsAlive)
                case .needsMore: break
                }
            }
        }
        return told
    }

    @Test(arguments: [1, 2, 7, 10_000]) func `answers are the same however their bytes are cut`(size: Int) throws {
        let answers = [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\ncontent-length: 77\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nt: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        ]
        let told = try read(answers.joined(), size: size)
        #expect(told.statuses == [200, 304, 103, 204, 503, 200])
        #expect(told.body == "helloabc0123456789")
        #expect(told.ends == [true, true, true, true, false])
    }

    @Test func `an answer to HEAD has no body whatever it says`() throws {
        let told = try read("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", size: 9, isHead: true)
        #expect(told == Told(statuses: [200], body: "", ends: [true]))
    }

    @Test(arguments: [
        "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n", "hello\r\n\r\n", "\r\n\r\n",
        "HTTP/1.1 200 OK\ncontent-length: 1\n\na", "HTTP/1.1 200 OK\r\na : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: 1\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na", "HTTP/1.1 200 OK\r\ncontent-length: 536870913\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n",
    ])
    func `what could be read in two ways is refused`(text: String) {
        #expect(throws: HTTP1AnswerReader.Garbled.self) { try read(text, size: 100_000) }
    }

    @Test func `a head without an end is refused, not gathered`() throws {
        #expect(throws: HTTP1AnswerReader.Garbled("the head is too large")) {
            try read("HTTP/1.1 200 OK\r\na: " + String(repeating: "a", count: 70_000), size: 1_000)
        }
    }
}
