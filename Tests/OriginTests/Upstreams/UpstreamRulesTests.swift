import NIOHTTP1
import Registry
import Testing

@testable import Origin

/// What is decided of upstreams from facts alone.
struct UpstreamRulesTests {
    private static func upstream(
        _ index: String = "https://index.example/", alsoHosts: [String] = []
    ) throws -> Upstream {
        Upstream(
            id: 1, name: "up", index: try #require(UpstreamIndex(index)), filter: .init(), freshSeconds: 60,
            privateAllowed: false, alsoHosts: alsoHosts.compactMap { UpstreamHost($0) }, sealedCredential: nil)
    }

    // Each: what is held, age of the answer (nil: none), pause; and the verdict.
    @Test(
        arguments: [
            ("lines", 59.0, 0.0, .current), ("lines", 61, 0, .stale), ("lines", 61, 5, .current),
            ("lines", nil, 0, .stale), ("lines", 1e9, 5, .current),
            ("absence", 59, 0, .absent), ("absence", 59, 5, .absent), ("absence", 61, 0, .unknown),
            // The absence may be 100 s older than fresh.
            ("absence", 61, 5, .absent), ("absence", 159, 5, .absent), ("absence", 161, 5, .paused(seconds: 6)),
            ("nothing", nil, 0, .unknown), ("nothing", nil, 3000, .paused(seconds: 10)),
        ] as [(String, Double?, Double, UpstreamStanding.Verdict)])
    func `what is held, its age and a pause decide`(
        held: String, age: Double?, pause: Double, verdict: UpstreamStanding.Verdict
    ) throws {
        let answered = age.map {
            UpstreamStanding.Answered(
                isAbsent: held == "absence", validator: .init(etag: nil, lastModified: nil), ageSeconds: $0, stamp: 0)
        }
        let standing = UpstreamStanding(
            upstream: try Self.upstream(), answered: answered, hasLines: held == "lines", pauseSeconds: pause,
            absenceSecondsMax: 100)
        #expect(standing.verdict == verdict)
    }

    @Test(
        arguments: [
            (429, nil, 10, .upstream), (429, "120", 120, .upstream), (503, "7", 7, .upstream),
            (503, nil, 10, .name), (503, "soon", 10, .name), (401, nil, 10, .upstream), (403, nil, 10, .name),
            (500, "30", 30, .name), (429, "999999999999", 3600, .upstream), (429, "0", 1, .upstream),
            (429, "Thu, 01 Jan 1970 00:02:00 GMT", 20, .upstream), (429, "Thu, 01 Jan 1970 00:00:01 GMT", 1, .upstream),
        ] as [(Int, String?, Int, UpstreamFault.Extent)])
    func `an upstream that wants to be left alone is, for all names`(
        status: Int, retryAfter: String?, pause: Int, extent: UpstreamFault.Extent
    ) throws {
        let address = try #require(UpstreamAddress("https://index.example/foo"))
        let fault = UpstreamFault(
            HTTPResponseStatus(statusCode: status), retryAfter: retryAfter, at: address, of: try Self.upstream(),
            showsCredential: true, now: 100)
        #expect(fault.pauseSeconds == pause && fault.extent == extent)
        // Another host that does not know us is not the index.
        let elsewhere = UpstreamFault(
            HTTPResponseStatus(statusCode: status), retryAfter: retryAfter,
            at: try #require(UpstreamAddress("https://static.example/foo")), of: try Self.upstream(),
            showsCredential: false, now: 100)
        #expect(elsewhere.extent == (status == 401 ? .name : extent))
    }

    @Test(arguments: ["-1", "1.5", "", "Thu, 01 Jan 99999999999999999 00:00:01 GMT", "tomorrow", "\u{0}"])
    func `a Retry-After that says nothing is none`(text: String) {
        #expect(RetryAfter.seconds(text, now: 100) == nil)
    }

    // Where `dl` leads, the redirects, and at the end: the address and whether it sees the credential, or words of the fault.
    @Test(
        arguments: [
            ("https://index.example/c", [], "https://index.example/c", true),
            ("https://static.example/c", [], "https://static.example/c", false),
            // Named by the operator, and the upstream says `auth-required`.
            ("https://named.example/c", [], "https://named.example/c", true),
            ("https://index.example:8443/c", [], "https://index.example:8443/c", false),
            ("https://index.example/c", ["/d"], "https://index.example/d", true),
            ("https://static.example/c", ["https://INDEX.example/d#x"], "https://index.example/d", true),
            ("https://static.example/c", ["https://static.example/d?sig=1"], "https://static.example/d?sig=1", false),
            ("https://index.example/c", ["https://named.example/d"], "https://named.example/d", false),
            ("https://static.example/c", ["/1", "/2", "/3"], "https://static.example/3", false),
            ("https://static.example/c", ["/1", "/2", "/3", "/4"], "more than 3", nil),
            ("https://index.example/c", ["https://else.example/d"], "--also-host else.example", nil),
            ("https://index.example/c", ["http://169.254.169.254/"], "away from https", nil),
            ("http://index.example/c", ["http://169.254.169.254/"], "--also-host 169.254.169.254", nil),
            ("https://index.example/c", ["file:///etc/passwd"], "no http address", nil),
            ("https://index.example/c", ["https://u:p@index.example/"], "no http address", nil),
            ("https://index.example/c", [""], "no http address", nil),
            ("ftp://index.example/c", [], "no http address", nil),
        ] as [(String, [String], String, Bool?)])
    func `a download goes to known hosts only, and few see the credential`(
        start: String, redirects: [String], end: String, isShown: Bool?
    ) throws {
        let upstream = try Self.upstream(alsoHosts: ["named.example"])
        do {
            var trail = try UpstreamTrail(upstream, start: start, isAuthRequired: true)
            for location in redirects { try trail.follow(location) }
            #expect(trail.address.url == end)
            #expect(trail.showsCredential == isShown)
            let without = try UpstreamTrail(upstream, start: start, isAuthRequired: false)
            #expect(!without.showsCredential || start.hasPrefix("https://index.example/"))
        } catch {
            #expect(isShown == nil && error.description.contains(end), "\(error)")
        }
    }

    @Test func `an address is told without its query, which may be a signature`() throws {
        #expect(try #require(UpstreamAddress("https://h/p?sig=secret")).description == "https://h/p?…")
    }

    // Connections are pinned by this spelling.
    @Test func `a host is spelled in lower case, in the address too`() throws {
        let address = try #require(UpstreamAddress("https://Index.EXAMPLE:8443/A?B=C"))
        #expect(address.url == "https://index.example:8443/A?B=C" && address.port == 8443)
        #expect(UpstreamIndex("sparse+https://CRATES.example/X")?.url == "https://crates.example/X/")
    }

    @Test(arguments: ["", "a/b", "a:80", "https://a", "a b", "[::1", "::1]", "a%2e", "ä", "a,b", "*.example"])
    func `what is no host is refused`(text: String) { #expect(UpstreamHost(text) == nil) }

    @Test(arguments: [
        ("Files.Example", "files.example"), ("::1", "[::1]"), ("[FE80::1]", "[fe80::1]"), ("10.0.0.1", "10.0.0.1"),
    ])
    func `a host has one spelling`(text: String, spelled: String) {
        #expect(UpstreamHost(text)?.description == spelled)
    }

    @Test func `a credential is opened with the secret and for the upstream that it was sealed for, or not at all`()
        throws
    {
        let seal = try KeySeal(secret: "0123456789abcdefghij", source: "a test")
        let other = try KeySeal(secret: "ABCDEFGHIJ0123456789", source: "another")
        let sealed = { (id: Int64) in
            Upstream(
                id: 1, name: "up", index: try #require(UpstreamIndex("https://index.example/")), filter: .init(),
                freshSeconds: 60, privateAllowed: false, alsoHosts: [],
                sealedCredential: try seal.seal(Array("hush".utf8), for: UpstreamCredential.purpose(id)))
        }
        #expect(try sealed(1).credential(seal) == "hush")
        #expect(try Self.upstream().credential(nil) == nil)
        #expect(throws: UpstreamFault.self) { try sealed(1).credential(other) }
        #expect(throws: UpstreamFault.self) { try sealed(2).credential(seal) }
        #expect(throws: UpstreamFault.self) { try sealed(1).credential(nil) }
    }

    @Test func `a credential is what a header can hold`() {
        #expect(UpstreamCredential(" Bearer abc \n")?.text == "Bearer abc")
        for text in ["", " \n", "a\nb", "a\u{0}b", "ä", String(repeating: "a", count: 4097)] {
            #expect(UpstreamCredential(text) == nil)
        }
    }
}
