"""A package that depends on this one by URL and tag builds and runs, and does not build what only `pt` needs."""

import shutil
import subprocess
import unittest

from support import ROOT, DirectoryTest


class SamplePackageTest(DirectoryTest):
    def test_a_package_that_depends_on_this_one_by_url_and_tag_builds_and_runs(self):
        repository = self.directory / "PaperTrade"
        self.copy_of_the_repository(repository)
        sample = self.directory / "sample"
        shutil.copytree(ROOT / "Tests" / "Package" / "sample", sample)
        manifest = sample / "Package.swift"
        manifest.write_text(manifest.read_text().replace("PAPERTRADE_URL", f"file://{repository}"))
        built = self.run_here(["swift", "build", "--package-path", str(sample)])
        self.assertNotIn("Compiling ArgumentParser", built)
        program = subprocess.run(
            ["swift", "build", "--package-path", str(sample), "--show-bin-path"], check=True, text=True,
            stdout=subprocess.PIPE).stdout.strip()
        self.assertEqual(self.run_here([f"{program}/sample"]), "bought; cash is now 9179.0\n")

    def copy_of_the_repository(self, destination):
        """What is in the working tree, committed and tagged in a repository of its own."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
            stdout=subprocess.PIPE).stdout.decode().split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (destination / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, destination / name)
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "copy"], ["tag", "0.1.0"]):
            subprocess.run(["git", *command], cwd=destination, check=True)


if __name__ == "__main__":
    unittest.main()
