import NIOCore
import Testing

@testable import EdgeHTTP

struct EdgePeerTests {
    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("255.255.255.255", "255.255.255.255"), ("2001:db8::7", "2001:db8::7"),
        ("fe80::1:2:3:4", "fe80::1:2:3:4"),
        // A socket of both kinds shows IPv4 like this, and means the same client.
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ])
    func `an address is told as it is written, without its port`(address: String, text: String) throws {
        let peer = EdgePeer(try SocketAddress(ipAddress: address, port: 4711))
        #expect(peer.text == text)
        #expect(peer == EdgePeer(try SocketAddress(ipAddress: text, port: 80)))
    }

    @Test func `who has no network address is not known`() throws {
        #expect(EdgePeer(nil) == .unknown && EdgePeer(nil).text == nil)
        #expect(EdgePeer(try SocketAddress(unixDomainSocketPath: "/run/edge")).text == nil)
        #expect(EdgePeer(try SocketAddress(ipAddress: "192.0.2.7", port: 1)) != .unknown)
    }
}
