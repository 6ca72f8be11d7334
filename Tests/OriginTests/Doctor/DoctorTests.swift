import Foundation
import HTTPTypes
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Origin

struct DoctorTests {
    private typealias Canned = CannedRegistry.Canned

    @Test func `our own origin has no problem, public or private`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            try await origin.repository("secret", isPrivate: true)
            let token = try await origin.token("ann", [.read, .publishNew], in: ["main", "secret"])
            for repository in ["main", "secret"] {
                let answer = try await httpCall(
                    "PUT", origin.url + "/\(repository)/api/v1/crates/new", headers: [("authorization", token)],
                    body: .init(bytes: try MadeCrate("foo", "1.0.0").publishBody()))
                #expect(answer.status == 200, "\(answer.text)")
                let findings = try await Self.findings("sparse+\(origin.url)/\(repository)/index/", token: token)
                #expect(findings.filter { $0.verdict == .problem } == [])
                let expected = Set(Check.allCases).subtracting(repository == "main" ? [.login] : [])
                #expect(Set(findings.map(\.check)) == expected)
            }
            let locked = try await Self.findings("\(origin.url)/secret/index/")
            #expect(locked.contains { $0.check == .login && $0.verdict == .ok })
            #expect(locked.contains { $0.check == .config && $0.verdict == .warning })
        }
    }

    @Test func `the small registry of these tests is right as long as nothing is changed`() async throws {
        let findings = try await CannedRegistry.with { try await Self.findings($0) }
        #expect(findings.filter { $0.verdict == .problem } == [])
    }

    /// One way to be wrong, and the check that must see it.
    struct Fault: Sendable, CustomStringConvertible {
        let description: String
        let check: Check
        var verdict = Finding.Verdict.problem
        let change: CannedRegistry.Change
    }

    private static func replacing(_ part: String, _ new: String) -> CannedRegistry.Change {
        { path, _, canned in
            guard path == "/main/index/config.json" else { return }
            canned.body = Array(String(decoding: canned.body, as: UTF8.self).replacing(part, with: new).utf8)
        }
    }

    private static func at(_ suffix: String, _ change: @escaping @Sendable (inout Canned) -> Void)
        -> CannedRegistry.Change
    {
        { path, _, canned in if path.hasSuffix(suffix) { change(&canned) } }
    }

    private static let page = Array("<html>nginx</html>".utf8)

    static let faults: [Fault] = [
        Fault(description: "config.json is a page", check: .config, change: at("config.json") { $0.body = page }),
        Fault(description: "config.json is 404", check: .config, change: at("config.json") { $0.status = 404 }),
        Fault(
            description: "config.json redirects", check: .config,
            change: at("config.json") {
                $0.status = 301
                $0.headers.append(("location", "/elsewhere"))
            }),
        Fault(description: "dl is relative", check: .addresses, change: replacing("\"dl\":\"http://", "\"dl\":\"")),
        Fault(
            description: "another port", check: .addresses,
            change: at("config.json") {
                $0.body = Array(#"{"dl":"http://127.0.0.1:1/main/crates","api":"http://127.0.0.1:1/main"}"#.utf8)
            }),
        Fault(description: "a missing sub-path", check: .addresses, change: replacing("/main\"", "/other\"")),
        Fault(description: "api ends in a slash", check: .addresses, change: replacing("/main\"", "/main/\"")),
        Fault(
            description: "no api", check: .addresses, verdict: .warning, change: replacing("\"api\"", "\"apy\"")),
        Fault(description: "a page below api", check: .api, change: at("/longshore-doctor") { $0.body = page }),
        Fault(
            description: "a password of the proxy's own", check: .login,
            change: at("config.json") {
                $0.status = 401
                $0.headers.append(("www-authenticate", "Basic realm=x"))
            }),
        Fault(
            description: "a relative login_url", check: .login,
            change: at("config.json") {
                $0.status = 401
                $0.headers.append(("www-authenticate", "Cargo login_url=\"/me\""))
            }),
        Fault(description: "no ETag", check: .index, change: at("/foo") { $0.headers.removeAll { $0.0 == "etag" } }),
        Fault(
            description: "If-None-Match is dropped", check: .index,
            change: { path, _, canned in
                guard path.hasSuffix("/foo"), canned.status == 304 else { return }
                canned.status = 200
            }),
        Fault(
            description: "weak tags are not known", check: .index,
            change: { path, headers, canned in
                guard path.hasSuffix("/foo"), headers[.ifNoneMatch]?.hasPrefix("W/") == true else { return }
                canned.status = 200
            }),
        Fault(description: "a broken line", check: .index, change: at("/foo") { $0.body = Array("{}\n".utf8) }),
        Fault(description: "an absent crate is 200", check: .absence, change: at("-absent") { $0.status = 200 }),
        Fault(
            description: "an absent crate may be cached", check: .absence,
            change: at("-absent") { $0.headers = [("content-type", "text/plain"), ("cache-control", "max-age=60")] }),
        Fault(
            description: "an absent crate is a page", check: .absence, verdict: .warning,
            change: at("-absent") { $0.headers[0] = ("content-type", "text/html") }),
        Fault(
            description: "gzip for all", check: .compression,
            change: at("/foo") { $0.headers.append(("content-encoding", "gzip")) }),
        Fault(
            description: "an encoding that nobody asked for", check: .compression,
            change: { path, headers, canned in
                guard path.hasSuffix("/foo"), headers[.acceptEncoding] == "gzip" else { return }
                canned.headers.append(("content-encoding", "br"))
            }),
        Fault(
            description: "gzip of something else", check: .compression,
            change: { path, headers, canned in
                guard path.hasSuffix("/foo"), headers[.acceptEncoding] == "gzip" else { return }
                canned.headers += [("content-encoding", "gzip"), ("vary", "accept-encoding")]
            }),
        Fault(
            description: "a crate labelled gzip", check: .download,
            change: at(".crate") { $0.headers.append(("content-encoding", "gzip")) }),
        Fault(description: "other bytes", check: .download, change: at(".crate") { $0.body[20] ^= 1 }),
        Fault(description: "a crate is 404", check: .download, change: at(".crate") { $0.status = 404 }),
        Fault(
            description: "the proxy's own 413", check: .upload,
            change: at("/crates/new") {
                $0.status = 413
                $0.body = page
            }),
        Fault(
            description: "the upgrade breaks it", check: .http2,
            change: { _, headers, canned in
                if headers.contains(where: { $0.name.canonicalName == "upgrade" }) { canned.status = 502 }
            }),
    ]

    @Test(arguments: faults)
    func `each fault is seen by its check, with what to change`(fault: Fault) async throws {
        let findings = try await CannedRegistry.with(fault.change) { try await Self.findings($0) }
        let seen = findings.filter { $0.check == fault.check && $0.verdict == fault.verdict }
        #expect(!seen.isEmpty, "\(findings.map(\.line))")
        #expect(seen.allSatisfy { $0.advice?.isEmpty == false })
    }

    @Test(arguments: [(2.0, Finding.Verdict.ok), (100, .warning), (-4_000, .problem)])
    func `a clock that is off is told`(seconds: Double, verdict: Finding.Verdict) async throws {
        let findings = try await CannedRegistry.with { try await Self.findings($0, clockOffset: seconds) }
        #expect(findings.first { $0.check == .clock }?.verdict == verdict)
    }

    @Test func `a server that is not there is one problem, not a crash`() async throws {
        let findings = try await Self.findings("http://127.0.0.1:1/main/index/")
        #expect(findings.map(\.check) == [.url, .config])
        #expect(findings.last?.verdict == .problem)
    }

    @Test(arguments: [
        ("https://h/main/index", Finding.Verdict.problem), ("https://u:p@h/main/index/", .problem),
        ("sparse+https://h/main/index/", .ok),
    ])
    func `the URL itself is looked at`(url: String, verdict: Finding.Verdict) {
        #expect(AddressChecks.url(url)?.finding.verdict == verdict)
    }

    @Test(arguments: [
        ("https://h/main/index/", "http://h/main", Finding.Verdict.problem),
        ("https://h/main/index/", "http://127.0.0.1:8080/main", .problem),
        ("https://h:8443/main/index/", "https://h/main", .problem),
        ("https://h/forge/main/index/", "https://h/main", .problem),
        ("https://h/forge/main/index/", "https://h/forge/main", .ok),
        ("https://h/main/index/", "https://h:443/main", .ok),
        ("https://h/main/index/", "https://other/main", .warning),
        ("http://[::1]:80/main/index/", "http://[::1]/main", .ok),
    ])
    func `api is held against the URL in use`(index: String, api: String, verdict: Finding.Verdict) throws {
        let place = try #require(WebPlace(index))
        let dl = index.replacing("index/", with: "crates")
        #expect(AddressChecks.compare(index: place, dl: dl, api: api).map(\.verdict) == [verdict])
    }

    @Test(arguments: [
        ("http://h:8081/main/index/", "http://h:8080/main", Finding.Verdict.ok),
        ("https://eu.h/main/index/", "https://forge/crates/main", .ok),
        ("https://eu.h/main/index/", "http://forge/main", .problem),
        ("https://eu.h/main/index/", "https://127.0.0.1:8080/main", .problem),
        ("https://eu.h/main/index/", "https://forge/main/", .problem),
    ])
    func `an edge's api is the origin's, wherever that is`(index: String, api: String, verdict: Finding.Verdict) throws
    {
        let place = try #require(WebPlace(index))
        let dl = index.replacing("index/", with: "crates")
        let findings = AddressChecks.compare(index: place, dl: dl, api: api, edge: "eu")
        #expect(findings.map(\.verdict) == [verdict])
        let elsewhere = AddressChecks.compare(index: place, dl: "https://forge/main/crates", api: api, edge: "eu")
        #expect(elsewhere.first?.verdict != .ok, "an edge serves its downloads itself")
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
    ])
    func `dates are read`(text: String, seconds: Int64) {
        #expect(HTTPTime.seconds(text) == seconds)
        #expect(HTTPTime.seconds(text.lowercased()) == nil)
    }

    private static func findings(
        _ url: String, token: String? = nil, clockOffset: Double = 0
    ) async throws -> [Finding] {
        let client = DoctorClient(token: token)
        let findings = FindingList()
        await Doctor(
            client: client, uploadBytes: 64 << 20, crate: nil,
            now: { Date.now.timeIntervalSince1970 + clockOffset }, tell: { findings.add($0) }
        ).examine(url)
        try await client.close()
        return findings.all
    }
}
