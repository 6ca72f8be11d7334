import Registry
import Testing

struct ReservedNamesTests {
    @Test(arguments: ["std", "STD", "proc-macro", "Rust_Installer", "nul", "COM0", "lpt9", "compiler-rt"])
    func `a reserved name is reserved in every spelling`(name: String) throws {
        #expect(try CrateName(name).isReserved)
    }

    @Test(arguments: ["serde", "std2", "com10", "core-foundation", "tests"])
    func `other names are free`(name: String) throws {
        #expect(try !CrateName(name).isReserved)
    }
}
