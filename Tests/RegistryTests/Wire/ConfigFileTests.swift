import Registry
import Testing

struct ConfigFileTests {
    // A1
    @Test func `a public repository says nothing of tokens`() {
        let file = ConfigFile(
            downloads: "https://edge.example/main/crates", api: "https://example/main", authRequired: false)
        #expect(
            file.json
                == #"{"api":"https://example/main","dl":"https://edge.example/main/crates/{crate}/{version}/{sha256-checksum}.crate"}"#
                + "\n")
    }

    // D2
    @Test func `a private repository says that a token is needed`() {
        let file = ConfigFile(downloads: "https://e", api: "https://a", authRequired: true)
        #expect(file.json.contains(#""auth-required":true"#))
    }
}
