import CrateFile
import HTTPTypes
import Registry
import Testing

@testable import Origin

/// What is kept and what is refused, without a database.
struct LockFileCheckTests {
    @Test(arguments: [
        "app", "team/app", "app@main", "a/b/c", "Team-1/app_2.x+y", "0", String(repeating: "a", count: 128),
    ])
    func `a name stands in an address as it is`(text: String) throws {
        #expect(try LockFileName(text).description == text)
    }

    @Test(arguments: [
        "", "/app", "app/", "team//app", "..", "team/../app", ".hidden", "-x", "a b", "a\u{0}", "naïve", "a%2Fb", "a?b",
        String(repeating: "a", count: 129),
    ])
    func `a name that breaks a rule is refused`(text: String) {
        #expect(throws: LockFileName.Invalid.self) { try LockFileName(text) }
    }

    @Test func `only versions from registries are kept, each once, without build metadata`() throws {
        let sum = String(repeating: "ab", count: 32)
        let file = try LockFileScene.file(
            .init("Foo-Bar", "1.0.0+build.5", checksum: sum), .init("foo_bar", "1.0.0", checksum: sum),
            .init("foo_bar", "1.0.0", source: "sparse+https://crates.example/main/index/"),
            .init("tool", source: "git+https://example.org/tool#0123"))
        #expect(
            file.entries == [
                .init(identity: "foo_bar", bareNumber: "1.0.0", checksum: Checksum(hex: sum)),
                .init(identity: "foo_bar", bareNumber: "1.0.0", checksum: nil),
            ])
    }

    @Test(arguments: ["", "version = 4", "<html>", "[[package]]\nname = \"a b\"\nversion = \"1.0.0\"", "[[package]]"])
    func `what is no lock file is refused`(text: String) {
        #expect(throws: CargoLock.Invalid.self) { try LockFile(parsing: text) }
    }

    private struct Row: Sendable {
        let what: String
        var held: LockFileCheck.Held?
        var others = LockFileCheck.Others()
        var isAdmin = false
        /// Nil: refused with `status`.
        var want: LockFileCheck.Change?
        var status = 0
    }

    private static func rows() throws -> [Row] {
        let file = try LockFileScene.file(.init("foo"))
        let other = try LockFileScene.file(.init("bar"))
        let (mine, same) = ("command line", file.sha256)
        let full = LockFileCheck.bytesSumMax - file.bytes
        return [
            Row(what: "a new name", want: .added),
            Row(what: "the same text", held: .init(owner: mine, sha256: same, age: 0), want: .unchanged),
            Row(
                what: "the same text, no room", held: .init(owner: mine, sha256: same, age: 0),
                others: .init(files: 2_000, filesOfOwner: 2_000, bytes: .max / 2), want: .unchanged),
            Row(what: "another text", held: .init(owner: mine, sha256: other.sha256, age: 10), want: .replaced),
            Row(what: "another's name", held: .init(owner: "bob", sha256: same, age: 99), status: 409),
            Row(
                what: "another's name, an administrator", held: .init(owner: "bob", sha256: other.sha256, age: 99),
                isAdmin: true, want: .replaced),
            Row(what: "the last place", others: .init(files: 999, filesOfOwner: 199), want: .added),
            Row(what: "no place", others: .init(files: 1_000), isAdmin: true, status: 409),
            Row(what: "no place of mine", others: .init(files: 200, filesOfOwner: 200), status: 409),
            Row(
                what: "no place of mine, an administrator", others: .init(files: 200, filesOfOwner: 200), isAdmin: true,
                want: .added),
            Row(
                what: "no place, replacing", held: .init(owner: mine, sha256: other.sha256, age: 10),
                others: .init(files: 1_000, filesOfOwner: 200), want: .replaced),
            Row(what: "the last bytes", others: .init(bytes: full), want: .added),
            Row(what: "a byte too many", others: .init(bytes: full + 1), isAdmin: true, status: 409),
        ]
    }

    @Test func `a lock file is kept while there is room, and under nobody else's name`() throws {
        let file = try LockFileScene.file(.init("foo"))
        for row in try Self.rows() {
            let check = LockFileCheck(name: try LockFileName("app"), held: row.held, others: row.others)
            let keeper = LockFileKeeper(actor: .commandLine, isAdmin: row.isAdmin)
            do throws(Refusal) {
                let change = try check.verdict(file, by: keeper)
                #expect(change == row.want, "\(row.what)")
            } catch {
                #expect(row.want == nil && error.status.code == row.status, "\(row.what): \(error)")
            }
        }
    }

    @Test func `a name changes every ten seconds at most, but for the command line`() throws {
        let file = try LockFileScene.file(.init("foo"))
        let held = LockFileCheck.Held(owner: "ci", sha256: try LockFileScene.file(.init("bar")).sha256, age: 4)
        let check = LockFileCheck(name: try LockFileName("app"), held: held, others: .init())
        let holder = TokenHolder(tokenID: 7, tokenName: "x", userID: 1, login: "ci", grants: [], expires: nil)
        let error = #expect(throws: Refusal.self) {
            try check.verdict(file, by: LockFileKeeper(actor: Actor(holder), isAdmin: false))
        }
        #expect(error?.status == .tooManyRequests && error?.headers[.retryAfter] == "6")
        #expect(try check.verdict(file, by: .commandLine) == .replaced)
    }
}
