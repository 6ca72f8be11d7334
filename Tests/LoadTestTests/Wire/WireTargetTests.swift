import Testing

@testable import LoadTest

struct WireTargetTests {
    // nginx and our origin take no HTTP/2 at once on a plain connection; cargo asks for the upgrade.
    @Test(
        arguments: [
            ("http://127.0.0.1:8080/index/", nil, WireTarget.Speech.upgrade), ("https://a.example/index/", nil, .http2),
            ("http://127.0.0.1:8080/index/", .http2, .http2), ("https://a.example/index/", .http1, .http1),
        ] as [(String, WireTarget.Speech?, WireTarget.Speech)])
    func `what is spoken is what cargo speaks, unless it is said`(
        url: String, said: WireTarget.Speech?, spoken: WireTarget.Speech
    ) throws {
        #expect(WireTarget(try #require(WebBase(url)), said).speech == spoken)
    }

    @Test func `a file of authorities that is not there is told, though the server is not encrypted`() throws {
        let target = WireTarget(try #require(WebBase("http://127.0.0.1:8080")), nil)
        #expect(try target.tls(caFile: nil) == nil)
        #expect(throws: BenchFailure.self) { try target.tls(caFile: "/nowhere/ca.pem") }
    }

    @Test(arguments: [((0, 0), nil), ((3, 0), "HTTP/1.1"), ((0, 3), "HTTP/2"), ((1, 3), "HTTP/1.1 (25 %) and HTTP/2")])
    func `what came over which HTTP is said`(counts: (Int, Int), text: String?) {
        #expect(SpokenCount(http1: counts.0, http2: counts.1).text == text)
    }
}
