import Crypto
import Registry
import Testing

@testable import Origin

struct NearestEdgeTests {
    private let edges = [
        EdgePlace(name: "eu1", region: "eu", publicURL: "https://eu1.example"),
        EdgePlace(name: "eu2", region: "eu", publicURL: "https://eu2.example"),
        EdgePlace(name: "us1", region: "us", publicURL: "https://us1.example"),
    ]

    private func checksum(_ number: Int) throws -> Checksum {
        try #require(Checksum(bytes: SHA256.hash(data: Array("\(number)".utf8))))
    }

    private func choice(
        _ edges: [EdgePlace], only: String? = nil, region: String? = nil, isClientLocal: Bool = false,
        _ number: Int = 0
    ) throws -> NearestEdge? {
        NearestEdge(
            among: edges, only: only, clientRegion: region, isClientLocal: isClientLocal, for: try checksum(number))
    }

    @Test func `a client whose region is known stays in it`() throws {
        for number in 0..<50 {
            #expect(try choice(edges, region: "us", number)?.audience == "us1")
            #expect(try choice(edges, region: "eu", number)?.audience.hasPrefix("eu") == true)
        }
        #expect(try choice(edges, region: "ap") != nil)
        #expect(try choice([]) == nil)
    }

    @Test func `files spread over all edges, and an edge that goes moves only its own`() throws {
        let before = try (0..<300).map { try choice(edges, $0)?.audience }
        for name in edges.map(\.name) { #expect(before.count { $0 == name } > 60) }
        let after = try (0..<300).map { try choice(edges.filter { $0.name != "eu2" }, $0)?.audience }
        for (old, new) in zip(before, after) where old != "eu2" { #expect(old == new) }
    }

    @Test func `edges behind one address are signed for whichever answers`() throws {
        let shared = ["a", "b"].map { EdgePlace(name: $0, region: "", publicURL: "https://crates.example") }
        let edge = try #require(try choice(shared))
        #expect(edge.url == "https://crates.example")
        #expect(edge.audience == "*")
        // Also where one of them was asked for: DNS may lead to the other.
        let asked = try #require(try choice(shared + edges, only: "a"))
        #expect(asked.url == "https://crates.example")
        #expect(asked.audience == "*")
        #expect(try choice(shared + edges, only: "eu1")?.audience == "eu1")
        #expect(try choice(shared, only: "c") == nil)
    }

    @Test func `an edge that is not connected is never chosen, but answers for the address that it shares`() throws {
        let away = EdgePlace(name: "a", region: "", publicURL: "https://crates.example/", isConnected: false)
        let here = EdgePlace(name: "b", region: "", publicURL: "https://crates.example")
        #expect(try choice([away]) == nil)
        #expect(try choice([away], only: "a") == nil)
        for number in 0..<20 {
            let edge = try choice([away, here], number)
            #expect(edge?.url == "https://crates.example")
            #expect(edge?.audience == "*")
            #expect(try choice([away] + edges, number)?.audience != "*")
        }
    }

    @Test func `an edge's own address goes before the shared one, where clients can use it`() throws {
        let shared = "https://crates.example"
        for (own, url, audience) in [
            ("https://eu.example/", "https://eu.example", "eu"), (shared, shared, "*"), (nil, shared, "*"),
            ("http://eu.example", shared, "*"), ("https://127.0.0.1:8081", shared, "*"),
        ] {
            let edge = try choice([
                EdgePlace(name: "eu", region: "", publicURL: shared, ownURL: own),
                EdgePlace(name: "us", region: "", publicURL: shared, ownURL: "https://us.example", isConnected: false),
            ])
            #expect(edge?.url == url, "\(own ?? "none")")
            #expect(edge?.audience == audience, "\(own ?? "none")")
        }
        #expect(EdgePlace(name: "eu", region: "", publicURL: "http://b", ownURL: "http://a").url == "http://a")
    }

    @Test(arguments: [
        "http://127.0.0.1:8081", "http://127.1.2.3", "http://localhost:80", "https://localhost", "http://[::1]:8081",
        "http://0.0.0.0:8081", "http://[::]:8081",
    ])
    func `an address of this machine is for clients on this machine`(url: String) throws {
        let local = [EdgePlace(name: "eu", region: "", publicURL: url)]
        #expect(try choice(local) == nil)
        #expect(try choice(local, isClientLocal: true)?.url == url)
        #expect(try choice(local + edges)?.url != url)
    }

    @Test func `a name that begins like one of this machine is none`() {
        #expect(!NearestEdge.isLocal("https://localhost.example"))
        #expect(!NearestEdge.isLocal("https://eu.example/127.0.0.1"))
    }

    @Test func `the longest network that fits names the region`() throws {
        let regions = try ClientRegions("10.0.0.0/8=eu, 10.1.0.0/16=us,2001:db8::/32=ap,192.168.1.77/31=home")
        for (address, region) in [
            ("10.2.3.4", "eu"), ("10.1.3.4", "us"), ("::ffff:10.1.3.4", "us"), ("2001:db8::1", "ap"),
            ("192.168.1.76", "home"), ("192.168.1.78", nil), ("11.0.0.1", nil), ("2001:db9::1", nil), ("nonsense", nil),
            ("", nil), ("10.1.3", nil), ("10.1.3.4:80", nil),
        ] {
            #expect(regions.region(of: address) == region, "\(address)")
        }
        #expect(regions.region(of: nil) == nil)
        #expect(try ClientRegions(nil).region(of: "10.1.3.4") == nil)
        #expect(try ClientRegions("0.0.0.0/0=all").region(of: "10.1.3.4") == "all")
    }

    @Test(arguments: [
        "10.0.0.0=eu", "10.0.0.0/8", "10.0.0.0/33=eu", "10.0.0/8=eu", "10.0.0.0/8=", "10.0.0.0/-1=eu", "eu", "=",
        "10.0.0.0/8=eu=us", "::/129=x",
    ])
    func `a network that can't be read is named in the refusal`(text: String) {
        let refusal = #expect(throws: ClientRegions.Invalid.self) { try ClientRegions(text) }
        #expect(refusal?.description.contains("`\(text)`") == true)
    }
}
