import Logging
import Synchronization
import Testing

@testable import Hosting

struct LogTests {
    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        func keep(_ line: String) { kept.withLock { $0.append(line) } }
    }

    private func lines(_ format: ServiceLog.Format, level: Logger.Level = .info, _ body: (inout Logger) -> Void)
        -> [String]
    {
        let lines = Lines()
        var logger = Logger(label: "origin") { label in
            ServiceLog(label: label, level: level, format: format, write: lines.keep)
        }
        body(&logger)
        return lines.all
    }

    @Test func `an event is one JSON line with flat fields`() throws {
        let written = lines(.json) { logger in
            logger[metadataKey: "hb.request.id"] = "r1"
            logger.info("crate\n\"bar\"", metadata: ["crate": "bar", "edge": ["name": "eu"], "list": ["a", "b"]])
        }
        let line = try #require(written.first)
        #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1)
        #expect(line.contains(#""level":"info","label":"origin","message":"crate\n\"bar\"""#))
        #expect(line.contains(#""crate":"bar","edge.name":"eu","list":"a, b","request":"r1""#))
        let time = try #require(line.firstMatch(of: #/"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"/#))
        #expect(time.output.1.count == 24)
    }

    @Test func `a line for people stays one line`() throws {
        let line = try #require(lines(.text) { $0.warning("two\nlines", metadata: ["a": "b c"]) }.first)
        #expect(line.contains(#"warning two\nlines  a="b c""#))
        #expect(line.filter { $0 == "\n" }.count == 1)
    }

    @Test func `lines below the level are not written`() {
        #expect(lines(.json, level: .warning) { $0.info("quiet") }.isEmpty)
    }

    @Test func `a field cannot pose as the message`() throws {
        let line = try #require(lines(.json) { $0.info("real", metadata: ["message": "forged", "level": "x"]) }.first)
        #expect(!line.contains("forged"))
    }

    @Test func `secrets are masked in messages and fields`() throws {
        let secret = "lsh_tabcdefghijklmnop0123456789"
        for format in [ServiceLog.Format.json, .text] {
            let line = try #require(
                lines(format) { logger in
                    logger[metadataKey: "kept"] = "\(secret)"
                    logger.error(
                        "token \(secret) of /x?ls-exp=5&ls-sig=AbC-_9%3D&y", metadata: ["deep": ["x": "a\(secret)"]])
                }.first)
            #expect(!line.contains("abcdefgh"))
            #expect(!line.contains("AbC"))
            #expect(line.contains("token lsh_… of /x?ls-exp=5&ls-sig=…&y"))
        }
    }

    @Test(arguments: [
        ("nothing here", "nothing here"), ("lsh_", "lsh_"), ("lsh_t12", "lsh_t12"),
        ("(lsh_t12345)", "(lsh_…)"), ("lsh_t1234,lsh_e1234", "lsh_…,lsh_…"),
        ("postgres://me:pa:ss@db/x", "postgres://me:…@db/x"), ("http://h/a@b:c", "http://h/a@b:c"),
        ("a http://u:p@h b https://v:q@i/", "a http://u:…@h b https://v:…@i/"), ("ls-sig=", "ls-sig="),
        ("é lsh_t12345 é", "é lsh_… é"),
    ])
    func `only what looks like a secret is masked`(text: String, masked: String) {
        #expect(Redaction.mask(text) == masked)
    }

    @Test(arguments: [
        ("/t/lsh_secret/main/index/config.json", "/t/…/main/index/config.json"), ("//t/secret/main", "//t/…/main"),
        ("/main/index/3/t/tar", "/main/index/3/t/tar"), ("/t", "/t"), ("/t/", "/t/…"), ("/", "/"),
    ])
    func `the token in a path is masked`(path: String, masked: String) {
        #expect(AccessLine.masked(path) == masked)
    }

    @Test func `a long path is cut`() {
        #expect(AccessLine.masked("/" + String(repeating: "a", count: 9000)).count == 512)
    }
}
