import HTTPTypes
import Registry
import Testing

@testable import Origin

struct PermissionTests {
    let main: RepositoryName
    let other: RepositoryName
    let crate: CrateName

    init() throws {
        main = try RepositoryName("main")
        other = try RepositoryName("other")
        crate = try CrateName("foo-bar")
    }

    private func token(_ actions: Set<Action>, _ repositories: Set<RepositoryName>?, _ crates: [String] = ["*"])
        -> Principal
    {
        .token(
            TokenHolder(
                tokenID: 1, tokenName: "t", userID: 1, login: "ann",
                grants: [
                    Grant(
                        actions: actions, repositories: repositories, crates: crates.compactMap { CratePattern($0) })
                ], expires: nil))
    }

    @Test func `anyone reads a public repository, even with a bad token`() {
        for principal in [Principal.anonymous, .rejected(.expired), token([.yank], [other])] {
            #expect(Permission.verdict(principal, .read, in: main, isPublic: true, of: nil) == .allowed)
        }
    }

    // D1, D5, D13: 401 for what is missing or no longer valid, 403 for what is known but not allowed.
    @Test func `a missing or dead token is 401, a token without the right is 403`() {
        let dead: [Principal] = [
            .anonymous, .rejected(.unknown), .rejected(.expired), .rejected(.revoked), .rejected(.malformed),
        ]
        for principal in dead {
            let verdict = Permission.verdict(principal, .read, in: main, isPublic: false, of: nil)
            #expect(verdict.refusal.status == .unauthorized)
        }
        let verdict = Permission.verdict(token([.read], [other]), .read, in: main, isPublic: false, of: nil)
        #expect(verdict.refusal.status == .forbidden)
        #expect(verdict.refusal.detail.contains("--action read --repository main"))
    }

    @Test func `a crate pattern covers spellings of the same identity and no others`() throws {
        let holder = token([.publishUpdate], [main], ["foo_*"])
        #expect(Permission.verdict(holder, .publishUpdate, in: main, isPublic: false, of: crate) == .allowed)
        let stranger = try CrateName("fo")
        #expect(Permission.verdict(holder, .publishUpdate, in: main, isPublic: false, of: stranger) != .allowed)
    }

    @Test func `administration needs every crate, and everything needs every repository`() {
        #expect(Permission.adminVerdict(token([.admin], [main]), of: main) == .allowed)
        #expect(Permission.adminVerdict(token([.admin], [main]), of: other) != .allowed)
        #expect(Permission.adminVerdict(token([.admin], [main]), of: nil) != .allowed)
        #expect(Permission.adminVerdict(token([.admin], nil), of: nil) == .allowed)
        #expect(Permission.adminVerdict(token([.admin], nil, ["foo*"]), of: main) != .allowed)
        #expect(Permission.adminVerdict(token([.read], nil), of: main) != .allowed)
    }

    @Test func `edges and users keep to their own addresses`() {
        let edge = Principal.edge(EdgeHolder(edgeID: 1, name: "eu"))
        #expect(Permission.verdict(edge, .read, in: main, isPublic: true, of: nil) == .edgeCredential)
        #expect(Permission.edgeVerdict(token([.admin], nil)) == .notAnEdge)
        #expect(Permission.edgeVerdict(edge) == .allowed)
    }

    @Test(arguments: [
        ("foo*", "foo-bar", true), ("foo*", "foo_b*", true), ("*", "foo*", true), ("foo*", "*", false),
        ("foo", "foo*", false), ("foo", "foo", true), ("foo_b*", "foo-*", false),
    ])
    func `a grant lies within another only if all its crates do`(outer: String, inner: String, isWithin: Bool) throws {
        let all = Grant(actions: [.admin], repositories: nil, crates: [try #require(CratePattern(outer))])
        let asked = Grant(actions: [.read], repositories: [main], crates: [try #require(CratePattern(inner))])
        #expect(asked.isWithin([all]) == isWithin)
    }
}
